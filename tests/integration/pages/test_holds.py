"""A rolled-back environment says so on its pages, and what it holds back says how it gets there."""

from dataclasses import dataclass

import httpx
import pytest

from support.dashboard_story import DashboardStory
from support.memory_gateway import MemoryGateway
from windlass_contracts.events import EnvironmentReleased, PromotionRequested
from windlass_contracts.ids import DeploymentId


@dataclass
class Held:
    old: DeploymentId
    replaced: DeploymentId
    push: DeploymentId
    preview: DeploymentId


@pytest.fixture
async def held(story: DashboardStory) -> Held:
    """Production is rolled back, and a push is live beside it."""
    story.ago(minutes=20)
    old, replaced = [await story.deploy("shop", subject=subject) for subject in ("Take orders", "Lose orders")]
    for deployment in (old, replaced):
        await story.live(deployment)
    preview = await story.deploy("shop", environment="staging", subject="Try refunds")
    await story.live(preview)
    await story.roll_back("shop", old)
    push = await story.deploy("shop", subject="Take orders again")
    await story.live(push, beside=True)
    return Held(old, replaced, push, preview)


def text_of(page: httpx.Response) -> str:
    return " ".join(page.text.split())


async def test_the_project_says_who_rolled_it_back_and_releases_it(
    client: httpx.AsyncClient, gateway: MemoryGateway, held: Held
) -> None:
    page = await client.get("/projects/shop")
    assert f'<a class="text-link" href="/deployments/{held.old}">' in page.text
    assert "Production was rolled back to" in text_of(page)
    assert '<a class="text-link" href="#deployments">1 does now</a>' in page.text
    assert 'form="release-production"' in page.text
    assert 'form="release-staging"' not in page.text
    answer = await client.post("/projects/shop/release", data={"environment": "production"})
    assert answer.status_code == 303
    assert isinstance(gateway.log.at(gateway.log.length).event, EnvironmentReleased)
    after = await client.get(answer.headers["location"])
    assert "Nothing moves now" in after.text
    assert "was rolled back to" not in after.text
    assert (await client.post("/projects/shop/release")).status_code == 409


async def test_a_push_that_was_held_back_says_so_and_is_promoted_by_one_click(
    client: httpx.AsyncClient, gateway: MemoryGateway, held: Held
) -> None:
    page = await client.get(f"/deployments/{held.push}")
    assert "Live at its own address" in page.text
    assert f"Production is held since the rollback to deployment {held.old.hex[:8]}" in text_of(page)
    assert f"shop--id--{held.push.hex[:12]}" in page.text
    assert "variables that it was requested with" in page.text
    assert 'name="to" value="production"' in page.text
    assert "Held back" in (await client.get("/projects/shop")).text
    answer = await client.post(f"/deployments/{held.push}/promote", data={"to": "production"})
    assert answer.status_code == 303
    asked = gateway.log.at(gateway.log.length).event
    assert isinstance(asked, PromotionRequested)
    assert (asked.to, asked.before) == (held.push, held.old)


async def test_what_is_live_elsewhere_can_be_promoted_and_what_answers_there_cannot(
    client: httpx.AsyncClient, gateway: MemoryGateway, held: Held
) -> None:
    assert 'name="to" value="production"' in (await client.get(f"/deployments/{held.preview}")).text
    current = (await client.get(f"/deployments/{held.old}")).text
    assert 'name="to" value="production"' not in current
    assert 'name="to" value="staging"' in current
    before = gateway.log.length
    refused = await client.post(f"/deployments/{held.old}/promote", data={"to": "production"})
    nowhere = await client.post(f"/deployments/{held.old}/promote", data={"to": "nowhere"})
    assert (refused.status_code, nowhere.status_code) == (409, 404)
    assert gateway.log.length == before


async def test_the_api_says_what_is_held_and_refuses_what_is_not(gateway: MemoryGateway, held: Held) -> None:
    async with gateway.client() as api:
        view = (await api.get("/projects/shop/environments/production")).json()
        assert view["held"]["to"] == str(held.old)
        assert (await api.get(f"/deployments/{held.push}")).json()["held_back"]
        explained = (await api.get(f"/deployments/{held.push}/explain")).json()
        assert "production is held since the rollback" in explained["sentence"]
        assert (await api.post("/projects/shop/environments/staging/release")).status_code == 409
        assert (await api.post("/projects/shop/environments/nowhere/release")).status_code == 404
        assert (await api.post("/projects/shop/environments/production/release")).status_code == 202
        assert (await api.get("/projects/shop/environments/production")).json()["held"] is None
        bad = await api.post(f"/deployments/{held.push}/promote", json={"to": "No Name"})
        assert bad.status_code == 422
        promoted = await api.post(f"/deployments/{held.preview}/promote", json={})
        assert (promoted.status_code, promoted.json()["environment"]) == (202, "production")
