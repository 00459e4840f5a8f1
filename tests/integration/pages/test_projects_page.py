"""The list of projects, as the server renders it."""

from collections.abc import Mapping

import httpx
import pytest

from support.dashboard_story import DashboardStory
from support.memory_gateway import MemoryGateway
from windlass_contracts.ids import DeploymentId


async def test_without_projects_the_page_says_how_to_begin(client: httpx.AsyncClient) -> None:
    page = await client.get("/")
    assert page.status_code == 200
    assert 'href="/new"' in page.text
    assert "windlass deploy --git" in page.text


async def test_a_project_shows_what_is_live_and_what_is_on_its_way(
    client: httpx.AsyncClient, told: Mapping[str, DeploymentId]
) -> None:
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


@pytest.mark.usefixtures("told")
async def test_a_search_finds_projects_by_their_names_without_scripts(client: httpx.AsyncClient) -> None:
    found = (await client.get("/", params={"q": "TIDE"})).text
    none = (await client.get("/", params={"q": "<script>alert(1)</script>"})).text
    assert "/projects/tide-api" in found
    assert "/projects/shop" not in found
    assert "<script>alert" not in none
    assert "&lt;script&gt;alert" in none


async def test_texts_that_people_wrote_are_shown_as_text(client: httpx.AsyncClient, story: DashboardStory) -> None:
    hostile = '"><img src=x onerror=alert(1)>\N{RIGHT-TO-LEFT OVERRIDE}' + "x" * 10_000
    await story.deploy("shop", subject=hostile, author="<b>Eve</b>")
    for path in ("/", "/projects/shop"):
        page = (await client.get(path)).text
        assert "<img" not in page.replace('<img src="/static/', "")
        assert "<b>Eve" not in page
        assert len(page) < 40_000, "and not all ten thousand characters of it"


@pytest.mark.usefixtures("told")
async def test_who_is_not_signed_in_sees_nothing(gateway: MemoryGateway) -> None:
    async with gateway.browser(cookies={}) as stranger:
        for path in ("/", "/palette", "/projects/shop", "/projects/shop/deploy", "/projects/shop/rollback"):
            answer = await stranger.get(path)
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/sign-in")
