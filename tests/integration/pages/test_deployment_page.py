"""The page of a deployment, as the server renders it: how it goes, why it failed, what it is, and its log."""

import re
from uuid import uuid4

import pytest

from support.dashboard_story import DashboardStory
from support.memory_gateway import MemoryGateway
from windlass_contracts.events import ContainerStopped
from windlass_contracts.logs import LogLine

ELEMENT = re.compile(r"<[a-z]")


def story_of(gateway: MemoryGateway) -> DashboardStory:
    caller = gateway.sessions.members.caller(gateway.owner, gateway.team)
    assert caller is not None
    return DashboardStory(gateway.gateway, caller)


def texts(*written: str) -> list[LogLine]:
    return [LogLine(time_ns=number * 10**9, text=text) for number, text in enumerate(written)]


async def test_while_it_runs_the_page_says_what_is_awaited_of_whom_and_offers_to_cancel() -> None:
    gateway = MemoryGateway()
    story = story_of(gateway)
    deployment = await story.deploy("shop", subject="Take orders", author="Ada Lindqvist")
    await story.build(deployment)
    async with gateway.browser() as client:
        page = (await client.get(f"/deployments/{deployment}")).text
    for text in ("Take orders", "Ada Lindqvist", "Waiting for the build to succeed", "builder", "Building"):
        assert text in page
    assert 'form="cancel-form"' in page
    assert 'form="redeploy-form"' not in page
    assert f"/live/deployments/{deployment}?after={await gateway.hub.epoch()}-" in page
    assert f"/live/deployments/{deployment}/log?source=build-1&amp;after=0" in page


async def test_a_failure_is_explained_with_its_remedy_and_the_log_opens_on_the_lines_that_say_why() -> None:
    gateway = MemoryGateway()
    story = story_of(gateway)
    deployment = await story.deploy("shop")
    await story.fail(deployment, "The build command ended with exit code 1.")
    await story_of(gateway).write(deployment, "build-1", *texts("one", "two", "three", "four"))
    async with gateway.browser() as client:
        page = (await client.get(f"/deployments/{deployment}")).text
    for text in ("Failed at the stage build", "exit code 1", "What most likely helps", "What was live before stays"):
        assert text in page
    assert 'href="?source=build-1#L1-L3"' in page
    assert 'data-shows="#L1-L3"' in page
    assert "/log?source=build-1&amp;after=" not in page, "a build that is over writes no more lines"
    assert 'form="redeploy-form"' in page
    assert 'form="cancel-form"' not in page


async def test_what_is_live_shows_its_addresses_and_what_was_live_offers_the_way_back() -> None:
    gateway = MemoryGateway()
    story = story_of(gateway)
    before, now = await story.deploy("shop"), None
    await story.live(before)
    now = await story.deploy("shop", variables={"DATABASE_URL": "postgres://secret"})
    await story.live(now)
    async with gateway.browser() as client:
        old = (await client.get(f"/deployments/{before}")).text
        live = (await client.get(f"/deployments/{now}")).text
    assert "http://shop.localhost:8080" in live
    assert 'form="rollback-form"' not in live
    assert 'form="rollback-form"' in old
    assert "DATABASE_URL" in live
    assert "postgres://secret" not in live
    for text in (
        "sha256:" + "0" * 64,
        "uv sync --locked",
        "gunicorn app:app",
        "The repository uses Uv.",
        "healthy",
        "GET / answers 200 to 399",
    ):
        assert text in live


async def test_its_buttons_send_forms_that_the_gateway_takes() -> None:
    gateway = MemoryGateway()
    story = story_of(gateway)
    before = await story.deploy("shop")
    await story.live(before)
    await story.live(await story.deploy("shop"))
    async with gateway.browser() as client:
        page = (await client.get(f"/deployments/{before}")).text
        for form in ("redeploy-form", "rollback-form"):
            action, fields = form_of(page, form)
            answer = await client.post(action, data=fields)
            assert answer.status_code == 303, answer.text
    assert gateway.types()[-2:] == ["deployment.requested.v1", "rollback.requested.v1"]


def form_of(page: str, identity: str) -> tuple[str, dict[str, str]]:
    """Return where a form is sent, and its fields."""
    found = re.search(rf'<form id="{identity}" method="post" action="([^"]+)" hidden>(.*?)</form>', page, re.DOTALL)
    assert found is not None
    return found[1], dict(re.findall(r'name="([^"]+)" value="([^"]+)"', found[2]))


async def test_a_long_log_is_shown_from_its_end_in_blocks_and_the_page_stays_small() -> None:
    gateway = MemoryGateway()
    story = story_of(gateway)
    deployment = await story.deploy("shop")
    await story.build(deployment)
    lines = texts(*(f"\x1b[32mline\x1b[0m {number}" for number in range(1, 5_001)))
    await story_of(gateway).write(deployment, "build-1", *lines)
    path = f"/deployments/{deployment}"
    async with gateway.browser() as client:
        page = (await client.get(path)).text
        older = (await client.get(f"{path}/log", params={"source": "build-1", "block": 18, "edge": "older"})).text
        around = (await client.get(f"{path}/log", params={"source": "build-1", "around": 251})).text
    assert 'id="L5000"' in page
    assert 'id="L4751"' in page
    assert 'id="L4750"' not in page
    assert "after=5000" in page
    assert len(ELEMENT.findall(page)) <= 1_500
    assert ('id="L4501"' in older, 'id="L4750"' in older, "block=17" in older) == (True, True, True)
    assert "edge=newer" not in older
    assert ('id="L1"' in around, 'id="L251"' in around, "block=2&amp;edge=newer" in around) == (True, True, True)


async def test_lines_are_text_whatever_stands_in_them() -> None:
    gateway = MemoryGateway()
    deployment = await story_of(gateway).deploy("shop")
    err = LogLine(time_ns=10**9, stream="err", text="\x1b[31m<b>bad</b>\x1b[0m")
    note = LogLine(time_ns=2**62, stream="note", text="</ol><script>alert(1)</script>")
    await story_of(gateway).write(deployment, "build-1", err, note)
    async with gateway.browser() as client:
        page = (await client.get(f"/deployments/{deployment}")).text
    assert '<span class="sgr-1">&lt;b&gt;bad&lt;/b&gt;</span>' in page
    assert "<script>alert" not in page
    assert 'class="log-err" data-time="00:00:01.000"' in page
    assert 'class="log-note"' in page


async def test_a_search_looks_at_the_whole_log_and_counts() -> None:
    gateway = MemoryGateway()
    deployment = await story_of(gateway).deploy("shop")
    written = [f"\x1b[1mLINE\x1b[0m {number}" + (" Error: no" if number == 700 else "") for number in range(1, 1_001)]
    await story_of(gateway).write(deployment, "build-1", *texts(*written))
    path = f"/deployments/{deployment}/log"
    async with gateway.browser() as client:
        found = (await client.get(f"{path}/search", params={"source": "build-1", "q": "line 99"})).json()
        none = (await client.get(f"{path}/search", params={"source": "build-1", "q": "[1m"})).json()
        error = (await client.get(f"{path}/first-error", params={"source": "build-1"})).json()
        empty = (await client.get(f"{path}/first-error", params={"source": "build-9"})).json()
        raw = await client.get(f"{path}/raw", params={"source": "build-1"})
    assert found == {"count": 11, "lines": [99, *range(990, 1_000)]}
    assert none == {"count": 0, "lines": []}
    assert error == {"count": 1, "lines": [700]}
    assert empty == {"count": 0, "lines": []}
    assert raw.text.splitlines() == written
    assert raw.headers["content-disposition"] == f'attachment; filename="{deployment.hex[:8]}-build-1.log"'


@pytest.mark.parametrize("source", ["", "../etc/passwd", "build 1", "x" * 200, "<script>", "a\nb"])
async def test_a_source_that_cannot_be_one_is_refused(source: str) -> None:
    gateway = MemoryGateway()
    deployment = await story_of(gateway).deploy("shop")
    async with gateway.browser() as client:
        for path in ("/log", "/log/search", "/log/raw"):
            answer = await client.get(f"/deployments/{deployment}{path}", params={"source": source, "q": "x"})
            assert answer.status_code == 422


async def test_a_deployment_that_does_not_exist_is_said_on_a_page() -> None:
    async with MemoryGateway().browser() as client:
        for written in (str(uuid4()), "abcd"):
            assert (await client.get(f"/deployments/{written}")).status_code == 404
        assert (await client.get("/deployments/<script>")).status_code in {404, 422}


async def test_an_app_that_loops_is_said_to_do_so_until_it_is_said_to_have_started_once_more() -> None:
    gateway = MemoryGateway()
    story = story_of(gateway)
    deployment = await story.deploy("shop")
    await story.live(deployment)
    name = await story.loops(deployment, exits=10, exit_code=3)
    async with gateway.browser() as client:
        looping = (await client.get(f"/deployments/{deployment}")).text
        tiles = (await client.get("/projects/shop")).text
        await story.tell(deployment, ContainerStopped(node="node-1", container=name, why=ContainerStopped.LOOPING))
        await story.starts(deployment)
        replaced = (await client.get(f"/deployments/{deployment}")).text
        await story.starts(deployment)
        steady = (await client.get(f"/deployments/{deployment}")).text
    for text in ("It ends again and again", "ended 10 times in a row", "the last time with exit code 3"):
        assert text in looping
        assert text in replaced
        assert text not in steady
    assert "looping: ended 10 times in a row" in tiles
    assert "It answers at" in steady
