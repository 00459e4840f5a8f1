"""The list of projects, as the server renders it."""

from support.dashboard_story import DashboardStory, harbour
from support.memory_gateway import MemoryGateway


def story_of(gateway: MemoryGateway) -> DashboardStory:
    caller = gateway.sessions.members.caller(gateway.owner, gateway.team)
    assert caller is not None
    return DashboardStory(gateway.gateway, caller)


async def test_without_projects_the_page_says_how_to_begin() -> None:
    async with MemoryGateway().browser() as client:
        page = await client.get("/")
    assert page.status_code == 200
    assert 'href="/new"' in page.text
    assert "windlass deploy --git" in page.text


async def test_a_project_shows_what_is_live_and_what_is_on_its_way() -> None:
    gateway = MemoryGateway()
    told = await harbour(story_of(gateway))
    async with gateway.browser() as client:
        page = (await client.get("/")).text
    for text in (
        "Show the delivery date before the payment",
        "Ada Lindqvist",
        "http://shop.localhost:8080",
        "Building",
    ):
        assert text in page
    assert f"/deployments/{told['api-failed']}" in page, "the failed one stands beside what is still live"
    assert page.index('href="/projects/crew-rota"') < page.index('href="/projects/docs"'), "the latest first"


async def test_a_search_finds_projects_by_their_names_without_scripts() -> None:
    gateway = MemoryGateway()
    await harbour(story_of(gateway))
    async with gateway.browser() as client:
        found = (await client.get("/", params={"q": "TIDE"})).text
        none = (await client.get("/", params={"q": "<script>alert(1)</script>"})).text
    assert "/projects/tide-api" in found
    assert "/projects/shop" not in found
    assert "<script>alert" not in none
    assert "&lt;script&gt;alert" in none


async def test_texts_that_people_wrote_are_shown_as_text() -> None:
    gateway = MemoryGateway()
    story = story_of(gateway)
    hostile = '"><img src=x onerror=alert(1)>\N{RIGHT-TO-LEFT OVERRIDE}' + "x" * 10_000
    await story.deploy("shop", subject=hostile, author="<b>Eve</b>")
    async with gateway.browser() as client:
        page = (await client.get("/")).text
    assert "<img" not in page.replace('<img src="/static/', "")
    assert "<b>Eve" not in page
    assert len(page) < 40_000, "and not all ten thousand characters of it"


async def test_who_is_not_signed_in_sees_nothing() -> None:
    gateway = MemoryGateway()
    await harbour(story_of(gateway))
    async with gateway.browser(cookies={}) as client:
        for path in ("/", "/palette"):
            answer = await client.get(path)
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/sign-in")
