"""A gradual rollout on the project's page and by the API: both versions, and what to do about it."""

import httpx
import pytest

from support.dashboard_story import DashboardStory
from support.memory_gateway import MemoryGateway
from windlass_contracts.events import RolloutStopped, RoutesApplied, WeightChanged, WeightRequested
from windlass_contracts.ids import DeploymentId
from windlass_contracts.subjects import Aggregate, AggregateKey
from windlass_gateway.application.projections import DEPLOYMENTS


@pytest.fixture
async def versions(story: DashboardStory) -> tuple[DeploymentId, DeploymentId]:
    """Return what was live in production before, and what is."""
    story.ago(minutes=20)
    old, current = [await story.deploy("shop", subject=subject) for subject in ("Take orders", "Lose orders")]
    for deployment in (old, current):
        await story.live(deployment)
    return old, current


async def weighed(story: DashboardStory, deployment: DeploymentId, percent: int) -> None:
    found = await story.gateway.rows.get(DEPLOYMENTS, deployment)
    assert found is not None
    key = AggregateKey.of_project(found.row.team, found.row.project, Aggregate.ROUTES)
    event = WeightChanged(environment=found.row.environment, deployment=deployment, weight=percent, why="asked")
    sequence = await story.append(key, event)
    await story.append(key, RoutesApplied(generation=sequence, proxies=("here",), duration_ms=5))
    await story.settled()


async def test_the_page_shows_both_versions_and_one_click_changes_or_stops_it(
    client: httpx.AsyncClient,
    gateway: MemoryGateway,
    story: DashboardStory,
    versions: tuple[DeploymentId, DeploymentId],
) -> None:
    old, current = versions
    await weighed(story, old, 10)
    page = " ".join((await client.get("/projects/shop")).text.split())
    assert f'href="/deployments/{current}">{current.hex[:7]}</a> gets 90 % of the requests' in page
    assert f'href="/deployments/{old}">{old.hex[:7]}</a> 10 %' in page
    assert f'formaction="/deployments/{old}/weight" name="weight" value="25"' in page
    assert "Rolling out, 10 %</span>" in page, "the list of deployments says so"
    own = (await client.get(f"/deployments/{old}")).text
    assert "It gets 10 % of the requests of production</p>" in own
    assert "It was live, and" not in own
    assert 'form="weight-form" name="weight" value="100"' in own, "what has a part is given all, not rolled back to"
    async with gateway.client() as api:
        shares = {one: (await api.get(f"/deployments/{one}")).json()["share"] for one in (old, current)}
        assert shares == {old: 10, current: None}
        explained = [(await api.get(f"/deployments/{one}/explain")).json()["remarks"] for one in (old, current)]
    assert explained[0][0].startswith("It gets 10 % of the requests of production; deployment")
    assert explained[1][0].startswith("It gets 90 % of the requests of production; deployment")
    answer = await client.post(f"/deployments/{old}/weight", data={"environment": "production", "weight": "25"})
    assert answer.status_code == 303
    asked = gateway.log.at(gateway.log.length).event
    assert isinstance(asked, WeightRequested)
    assert (asked.to, asked.before, asked.weight) == (old, current, 25)
    assert f'name="deployment" value="{old}">Stop<' in page
    another = await client.post("/projects/shop/rollout/stop", data={"deployment": str(current)})
    assert (another.status_code, f"windlass rollout {old.hex[:8]} --stop" in another.text) == (409, True)
    async with gateway.client() as api:
        path = "/projects/shop/environments/production/rollout/stop"
        assert (await api.post(path, json={"deployment": current.hex[:8]})).json()["field"] == "deployment"
        assert (await api.post(path, json={"deployment": "nonsense"})).status_code == 422
    assert gateway.log.at(gateway.log.length).event == asked, "what is refused changes nothing"
    answer = await client.post("/projects/shop/rollout/stop", data={"deployment": str(old)})
    assert answer.status_code == 303
    assert isinstance(gateway.log.at(gateway.log.length).event, RolloutStopped)
    assert "It is being stopped." in (await client.get("/projects/shop")).text


@pytest.mark.parametrize("weight", ["0", "101", "1000", "-1", "ten", "", "1.5"])
async def test_what_is_no_weight_is_refused_by_the_page_and_by_the_api(
    client: httpx.AsyncClient, gateway: MemoryGateway, versions: tuple[DeploymentId, DeploymentId], weight: str
) -> None:
    before = gateway.log.length
    assert (await client.post(f"/deployments/{versions[0]}/weight", data={"weight": weight})).status_code == 422
    async with gateway.client() as api:
        number = int(weight) if weight.lstrip("-").isdigit() else weight
        refused = await api.post(f"/deployments/{versions[0]}/weight", json={"weight": number})
        assert refused.status_code == 422
        assert "weight" in refused.text
    assert gateway.log.length == before


async def test_what_answers_already_gets_no_weight_and_nothing_is_stopped_where_nothing_is_rolled_out(
    gateway: MemoryGateway, versions: tuple[DeploymentId, DeploymentId]
) -> None:
    old, current = versions
    async with gateway.client() as api:
        assert (await api.post(f"/deployments/{current}/weight", json={"weight": 10})).status_code == 409
        assert (await api.post(f"/deployments/{old}/weight", json={"weight": 10, "to": "none"})).status_code == 404
        assert (await api.post("/projects/shop/environments/production/rollout/stop")).status_code == 409
        assert (await api.post(f"/deployments/{old}/weight", json={"weight": 10})).status_code == 202
