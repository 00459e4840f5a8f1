"""Links to sign in with: the page, the button, and who must not get in."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from support.links_contract import DIGEST, LINK, NOON, LinksContract
from support.memory_gateway import DASHBOARD, INSTALLATION, MemoryGateway
from support.memory_links import MemorySignInLinks
from windlass_contracts.ids import TeamId
from windlass_eventlog.postgres.database import Database, database
from windlass_eventlog.postgres.records import migrate
from windlass_gateway.adapters.records import RECORDS
from windlass_gateway.adapters.sign_in_links import PostgresSignInLinks
from windlass_gateway.application.access import EVERYTHING, Caller, Permission
from windlass_gateway.application.signing_in import SigningIn
from windlass_gateway.domain.people import owner_id
from windlass_gateway.domain.refusals import ForbiddenError, LinkUsedError

OWN = {"Origin": DASHBOARD, "Sec-Fetch-Site": "same-origin"}


class TestMemoryLinks(LinksContract):
    @pytest.fixture
    def links(self) -> MemorySignInLinks:
        return MemorySignInLinks()


@pytest.fixture
async def own(database_url: str) -> AsyncIterator[Database]:
    async with database(database_url, "test") as opened:
        await migrate(opened, RECORDS)
        yield opened


class TestPostgresLinks(LinksContract):
    @pytest.fixture
    def links(self, own: Database) -> PostgresSignInLinks:
        return PostgresSignInLinks(own)


async def test_links_are_forgotten_a_day_after_they_expired(own: Database) -> None:
    links = PostgresSignInLinks(own)
    await links.add(DIGEST, LINK, NOON)
    await links.add("e" * 64, LINK, LINK.expires_at + timedelta(hours=23))
    assert await links.find(DIGEST) is not None
    await links.add("f" * 64, LINK, LINK.expires_at + timedelta(hours=25))
    assert await links.find(DIGEST) is None


async def test_a_link_that_was_used_stays_so_in_another_process(own: Database, database_url: str) -> None:
    gateway = MemoryGateway()
    before = SigningIn(PostgresSignInLinks(own), gateway.members, gateway.now)
    made = await before.make_link(Caller("token:installation", gateway.team, EVERYTHING), gateway.owner)
    await before.use(made.token)
    async with database(database_url, "after a restart") as again:
        await migrate(again, RECORDS)
        after = SigningIn(PostgresSignInLinks(again), gateway.members, gateway.now)
        with pytest.raises(LinkUsedError):
            await after.use(made.token)


async def made_link(gateway: MemoryGateway) -> str:
    async with gateway.client() as client:
        answer = await client.post("/sign-in-links")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["url"])


async def use(browser: httpx.AsyncClient, url: str, **more: str) -> httpx.Response:
    (token,) = parse_qs(urlsplit(url).query)["token"]
    return await browser.post("/sign-in", data={"token": token, **more}, headers=OWN)


async def test_a_link_signs_in_once_and_looking_at_it_does_not_use_it_up() -> None:
    gateway = MemoryGateway()
    url = await made_link(gateway)
    assert url.startswith(f"{DASHBOARD}/sign-in?token=")
    async with gateway.browser({}) as preview, gateway.browser({}) as browser, gateway.browser({}) as thief:
        for _ in range(2):
            shown = await preview.get(url)
            assert (shown.status_code, "set-cookie" in shown.headers) == (200, False)
            assert '<button class="btn w-full">Sign in</button>' in shown.text
        entered = await use(browser, url, next="/events?type=x")
        assert (entered.status_code, entered.headers["location"]) == (303, "/events?type=x")
        assert (await browser.get("/sign-in?next=/new")).headers["location"] == "/new"
        for refused in (await use(thief, url), await thief.get(url)):
            assert refused.status_code == 410
            assert "used before" in refused.text
            assert "windlass login-link" in refused.text
            assert "set-cookie" not in refused.headers


async def test_a_link_ends_after_15_minutes() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    gateway = MemoryGateway(now=lambda: now)
    url = await made_link(gateway)
    now += timedelta(minutes=15)
    async with gateway.browser({}) as browser:
        for refused in (await browser.get(url), await use(browser, url)):
            assert refused.status_code == 410
            assert "has expired" in refused.text


@pytest.mark.parametrize("token", ["x", "\u202e", "<script>alert(1)</script>", "a" * 60_000, "' OR 1=1 --", "\x00"])
async def test_nonsense_is_no_link(token: str) -> None:
    gateway = MemoryGateway()
    async with gateway.browser({}) as browser:
        shown = await browser.get("/sign-in", params={"token": token})
        sent = await browser.post("/sign-in", data={"token": token}, headers=OWN)
    for refused in (shown, sent):
        assert refused.status_code == 410
        assert "not known here" in refused.text
        assert "alert(1)" not in refused.text


async def test_a_link_of_another_installation_is_not_known() -> None:
    gateway = MemoryGateway()
    url = await made_link(MemoryGateway())
    async with gateway.browser({}) as browser:
        assert "not known here" in (await use(browser, url)).text


async def test_a_form_from_a_sibling_host_does_not_sign_in_and_does_not_use_the_link_up() -> None:
    gateway = MemoryGateway()
    url = await made_link(gateway)
    (token,) = parse_qs(urlsplit(url).query)["token"]
    async with gateway.browser({}) as browser:
        foreign = {"Sec-Fetch-Site": "same-site", "Origin": "http://shop.localhost:8080"}
        refused = await browser.post("/sign-in", data={"token": token}, headers=foreign)
        assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)
        assert (await use(browser, url)).status_code == 303


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "/sign-in?token=x",
        "/" + "a" * 60_000,
        "",
        " /x",
    ],
)
async def test_signing_in_never_leads_to_another_host(wanted: str) -> None:
    gateway = MemoryGateway()
    url = await made_link(gateway)
    async with gateway.browser({}) as browser:
        assert (await use(browser, url, next=wanted)).headers["location"] == "/"
        assert (await browser.get("/sign-in", params={"next": wanted})).headers["location"] == "/"


async def test_without_a_link_the_page_says_how_to_get_one() -> None:
    gateway = MemoryGateway()
    async with gateway.browser({}) as browser:
        shown = await browser.get("/sign-in", params={"next": "/new"})
    assert shown.status_code == 200
    assert "windlass login-link" in shown.text


async def test_signing_out_takes_the_cookie_away_and_needs_the_token() -> None:
    gateway = MemoryGateway()
    session = gateway.session()
    async with gateway.browser(gateway.signed_in(session)) as browser:
        assert (await browser.post("/sign-out")).status_code == 403
        assert (await browser.get("/sign-out")).status_code == 405
        out = await browser.post("/sign-out", data={"csrf": session.csrf})
        assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
        assert "windlass_session=; Max-Age=0" in out.headers["set-cookie"]
        assert dict(browser.cookies) == {}


@pytest.mark.parametrize(
    "permissions",
    [frozenset({Permission.READ}), frozenset({Permission.ADMINISTER}), EVERYTHING - {Permission.ADMINISTER}],
)
async def test_who_may_do_less_than_the_owner_gets_no_link(permissions: frozenset[Permission]) -> None:
    gateway = MemoryGateway()
    signing_in = SigningIn(gateway.links, gateway.members, gateway.now)
    with pytest.raises(ForbiddenError):
        await signing_in.make_link(Caller(f"token:{uuid4()}", gateway.team, permissions), gateway.owner)
    stranger = Caller(f"token:{uuid4()}", TeamId(uuid4()), EVERYTHING)
    with pytest.raises(ForbiddenError):
        await signing_in.make_link(stranger, owner_id(INSTALLATION))
    assert gateway.links.links == {}
