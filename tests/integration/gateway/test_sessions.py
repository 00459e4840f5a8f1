"""Sessions, forms and hosts, as browsers and those who would abuse them send them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from cryptography.fernet import Fernet, MultiFernet

from support.memory_gateway import DASHBOARD, MemoryGateway
from windlass_gateway.domain.people import owner_id
from windlass_gateway.entrypoints.access.sessions import Session, Sessions
from windlass_gateway.entrypoints.access.visitor import AVisitor
from windlass_gateway.entrypoints.security_headers import CONTENT_POLICY

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def with_pages(gateway: MemoryGateway) -> list[str]:
    """Add a page and a form to the gateway, and return the list in which the form notes what it did."""
    done: list[str] = []

    @gateway.app.get("/page")
    async def page(visitor: AVisitor) -> str:
        return visitor.csrf

    @gateway.app.post("/page")
    async def form(visitor: AVisitor) -> str:
        done.append(visitor.caller.actor)
        return "done"

    return done


async def test_a_session_opens_pages_and_sends_forms() -> None:
    gateway = MemoryGateway()
    done = with_pages(gateway)
    session = gateway.session()
    async with gateway.browser(gateway.signed_in(session)) as browser:
        shown = await browser.get("/page")
        own = {"Origin": DASHBOARD, "Sec-Fetch-Site": "same-origin"}
        by_field = await browser.post("/page", data={"csrf": session.csrf}, headers=own)
        by_header = await browser.post("/page", headers={"X-CSRF-Token": session.csrf})
    assert (shown.status_code, shown.json()) == (200, session.csrf)
    assert [one.status_code for one in (by_field, by_header)] == [200] * 2
    assert done == [f"person:{gateway.owner}"] * 2


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "nonsense",
        "\u00fc",
        "a" * 100_000,
        pytest.param(Fernet(Fernet.generate_key()).encrypt(b"{}").decode(), id="of-another-key"),
        "gAAAAA==",
    ],
)
async def test_what_is_no_cookie_of_ours_is_no_session(cookie: str) -> None:
    gateway = MemoryGateway()
    with_pages(gateway)
    async with gateway.browser({}) as browser:
        headers = [(b"cookie", b"windlass_session=" + cookie.encode())]
        answer = await browser.get("/page?a=b", headers=headers)
        part = await browser.get(
            "/page", headers=[*headers, (b"hx-request", b"true"), (b"hx-current-url", f"{DASHBOARD}/x?y=1".encode())]
        )
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Fpage%3Fa%3Db")
    assert (part.status_code, part.headers["hx-redirect"]) == (401, "/sign-in?next=%2Fx%3Fy%3D1")


async def test_a_genuine_cookie_that_was_changed_or_cut_short_is_no_session() -> None:
    gateway = MemoryGateway()
    with_pages(gateway)
    ((name, token),) = gateway.signed_in().items()
    middle = len(token) // 2
    changed = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    for wrong in (token[:-8], token[8:], changed):
        async with gateway.browser({name: wrong}) as browser:
            assert (await browser.get("/page")).status_code == 303


@pytest.mark.parametrize("field", ["person", "team"])
async def test_a_session_of_somebody_who_is_no_member_is_none(field: str) -> None:
    gateway = MemoryGateway()
    with_pages(gateway)
    stranger = gateway.session().model_copy(update={field: UUID(int=7)})
    async with gateway.browser(gateway.signed_in(stranger)) as browser:
        assert (await browser.get("/page")).status_code == 303


async def test_a_session_of_another_version_is_none() -> None:
    gateway = MemoryGateway()
    with_pages(gateway)
    newer = gateway.session().model_copy(update={"version": 2})
    async with gateway.browser(gateway.signed_in(newer)) as browser:
        assert (await browser.get("/page")).status_code == 303


async def test_a_session_is_renewed_after_a_day_and_ends_after_14_without_a_visit() -> None:
    clock = Clock()
    gateway = MemoryGateway(now=clock)
    with_pages(gateway)
    cookies = gateway.signed_in()
    async with gateway.browser(cookies) as browser:
        assert "set-cookie" not in (await browser.get("/page")).headers
        clock.now += timedelta(days=13)
        renewed = (await browser.get("/page")).headers["set-cookie"]
        assert renewed.startswith("windlass_session=")
        assert renewed.endswith("; Max-Age=1209600; Path=/; HttpOnly; SameSite=Lax")
        clock.now += timedelta(days=2)
        assert (await browser.get("/page")).status_code == 200  # with the renewed cookie
    async with gateway.browser(cookies) as browser:
        assert (await browser.get("/page")).status_code == 303


async def test_a_session_that_an_earlier_key_made_goes_on_under_a_newer_one() -> None:
    gateway = MemoryGateway()
    old, new = (Fernet(Fernet.generate_key()) for _ in range(2))
    members, session = gateway.sessions.members, gateway.session()
    before = Sessions(MultiFernet([old]), members, gateway.now)
    after = Sessions(MultiFernet([new, old]), members, gateway.now)
    name, _, value = before.cookie(session, secure=False).partition(";")[0].partition("=")
    opened = after.opened({name: value}, secure=False)
    assert opened is not None
    assert opened.session == session


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://shop.localhost:8080"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://shop.localhost:8080"},
        {"Origin": "http://localhost:8080"},
        {"Origin": "http://windlass.localhost:9999"},
        {"Origin": "http://windlass.localhost:8080.evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": ""},
    ],
)
async def test_a_form_from_elsewhere_changes_nothing_even_with_the_right_token(headers: dict[str, str]) -> None:
    gateway = MemoryGateway()
    done = with_pages(gateway)
    session = gateway.session()
    async with gateway.browser(gateway.signed_in(session)) as browser:
        answer = await browser.post("/page", data={"csrf": session.csrf}, headers=headers)
    assert_forged(answer)
    assert done == []


@pytest.mark.parametrize(
    "form", [{}, {"data": {"csrf": ""}}, {"data": {"csrf": "\ud800"}}, {"files": {"csrf": b"x"}}, {"json": {"csrf": 1}}]
)
async def test_a_form_without_its_token_changes_nothing(form: dict[str, object]) -> None:
    gateway = MemoryGateway()
    done = with_pages(gateway)
    if form.get("data") == {"csrf": "\ud800"}:
        form = {"content": b"csrf=%ED%A0%80", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}
    async with gateway.browser() as browser:
        assert_forged(await browser.post("/page", **form))  # type: ignore[arg-type]
        another = gateway.session()
        assert_forged(await browser.post("/page", data={"csrf": another.csrf}))
    assert done == []


async def test_the_api_takes_no_cookie() -> None:
    gateway = MemoryGateway()
    session = gateway.session()
    async with gateway.browser(gateway.signed_in(session)) as browser:
        answer = await browser.get("/api/v1/projects", headers={"X-CSRF-Token": session.csrf})
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "shop.localhost:8080", "", "windlass.localhost."]
)
async def test_a_foreign_host_is_not_answered(host: str) -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        answer = await client.get("/projects", headers={"Host": host})
    assert answer.status_code == 421
    assert "windlass.localhost" in answer.json()["detail"]


@pytest.mark.parametrize("host", ["WINDLASS.localhost", "127.0.0.1:41234", "localhost", "[::1]:80"])
async def test_its_own_hosts_are_answered_whatever_the_port(host: str) -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        assert (await client.get("/projects", headers={"Host": host})).status_code == 200


async def test_every_answer_carries_the_strict_policy_even_that_of_an_unforeseen_error() -> None:
    gateway = MemoryGateway()
    with_pages(gateway)

    @gateway.app.get("/broken")
    async def broken() -> str:
        raise RuntimeError("<script>")

    async with gateway.browser() as browser:
        for path, status in (("/page", 200), ("/nothing", 404), ("/broken", 500), ("/api/v1/projects", 401)):
            answer = await browser.get(path)
            assert answer.status_code == status
            assert answer.headers["content-security-policy"] == CONTENT_POLICY
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "same-origin"
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["cross-origin-opener-policy"] == "same-origin"
            assert "access-control-allow-origin" not in answer.headers
    assert "frame-ancestors 'none'" in CONTENT_POLICY


async def test_over_https_the_cookie_is_bound_to_its_host() -> None:
    gateway = MemoryGateway()
    with_pages(gateway)
    cookie = gateway.sessions.cookie(gateway.session(), secure=True)
    assert cookie.startswith("__Host-windlass_session=")
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Lax; Secure")
    pair = cookie.partition(";")[0]
    async with gateway.browser({}) as browser:
        assert (await browser.get("https://windlass.localhost/page", headers={"Cookie": pair})).status_code == 200
        plain = pair.removeprefix("__Host-")  # what an app on a sibling host could plant
        assert (await browser.get("https://windlass.localhost/page", headers={"Cookie": plain})).status_code == 303


def test_the_owner_of_an_installation_is_always_the_same() -> None:
    assert owner_id("0a1b2c3d") == owner_id("0a1b2c3d") != owner_id("0a1b2c3e")
    assert Session.begun(owner_id("0a1b2c3d"), MemoryGateway().team, NOON).csrf


def assert_forged(answer: httpx.Response) -> None:
    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("text/html")
    assert "not sent from here" in answer.text
