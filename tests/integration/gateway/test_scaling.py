"""What answers is scaled and restarted by API and page; bad numbers and what does not answer are refused by field."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from support.api_requests import assert_problem, deploy
from support.memory_gateway import MemoryGateway
from windlass_contracts.config import Limits
from windlass_contracts.event import Event
from windlass_contracts.events import (
    ContainerStarted,
    DeploymentScaled,
    Healthy,
    ProjectConfigured,
    RestartFailed,
    RestartRequested,
    RestartSucceeded,
)
from windlass_contracts.ids import EventId
from windlass_eventlog.clock import utc_now
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.deadlines import DeadlineKeeper
from windlass_gateway.application.projections import DEPLOYMENTS
from windlass_gateway.application.scaling import ScaleCommand, Scaling
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.refusals import ForbiddenError


@pytest.fixture
def gateway() -> MemoryGateway:
    return MemoryGateway()


@pytest.fixture
async def client(gateway: MemoryGateway) -> AsyncIterator[httpx.AsyncClient]:
    async with gateway.client() as client:
        yield client


async def live(gateway: MemoryGateway, client: httpx.AsyncClient) -> UUID:
    identity = UUID((await deploy(client))["deployment"])
    await gateway.make_live(identity, "shop")
    return identity


def fresh(name: str, number: int = 0) -> list[Event]:
    """Return that a container was started and is healthy."""
    started = ContainerStarted(
        node="one",
        container=name,
        replica=number,
        address="10.0.0.9",
        port=8000,
        limits=Limits(),
        runtime="docker",
        duration_ms=1,
    )
    return [started, Healthy(container=name, probe="http", status=200, tries=1, duration_ms=1)]


async def row(gateway: MemoryGateway, identity: UUID) -> Deployment:
    found = await gateway.rows.get(DEPLOYMENTS, identity)
    assert found is not None
    return found.row


async def test_scaling_sets_the_projects_setting_first_and_then_scales_what_answers(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    identity = await live(gateway, client)
    accepted = await client.post("/projects/shop/scale", json={"replicas": 3})
    assert accepted.status_code == 202
    assert accepted.json()["deployment"] == str(identity)
    last = accepted.json()["sequence"]
    configured = gateway.log.at(last - 1).event
    assert isinstance(configured, ProjectConfigured)
    assert configured.config.replicas == 3
    assert gateway.log.at(last).event == DeploymentScaled(replicas=3)
    shown = (await client.get(f"/deployments/{identity}", params={"at_least": last})).json()["replicas"]
    assert shown == {"wanted": 3, "healthy": 1, "leaving": 0, "restarting": False}


async def test_scaling_to_what_is_so_already_says_nothing(gateway: MemoryGateway, client: httpx.AsyncClient) -> None:
    await live(gateway, client)
    before = gateway.log.length
    assert (await client.post("/projects/shop/scale", json={"replicas": 1})).status_code == 202
    assert gateway.log.length == before


@pytest.mark.parametrize("replicas", [0, 101, -1, "three", "3", 2.5, None, True, 10**30])
async def test_what_is_no_number_of_containers_is_refused_by_its_field(
    gateway: MemoryGateway, client: httpx.AsyncClient, replicas: object
) -> None:
    await live(gateway, client)
    before = gateway.log.length
    answer = await client.post("/projects/shop/scale", json={"replicas": replicas})
    assert "replicas" in assert_problem(answer, 422)["field"]
    assert gateway.log.length == before


async def test_where_nothing_answers_nothing_is_scaled_or_restarted(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    identity = (await deploy(client))["deployment"]
    before = gateway.log.length
    for path in ("scale", "restart"):
        body = {"replicas": 2} if path == "scale" else {}
        assert_problem(await client.post(f"/projects/nothing/{path}", json=body), 404, "project")
        assert_problem(await client.post(f"/projects/shop/{path}", json=body), 409, "environment")
        assert_problem(await client.post(f"/projects/shop/{path}", json={**body, "environment": "x"}), 404)
    assert_problem(await client.post(f"/deployments/{identity}/restart"), 409, "deployment")
    assert gateway.log.length == before


async def test_version_that_was_replaced_is_not_restarted_and_the_reason_is_said(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    replaced = await live(gateway, client)
    current = await live(gateway, client)
    refused = await client.post(f"/deployments/{replaced}/restart")
    assert "was replaced: its containers are paused or stopped" in assert_problem(refused, 409, "deployment")["detail"]
    accepted = await client.post(f"/deployments/{current}/restart")
    assert accepted.status_code == 202
    assert gateway.log.at(accepted.json()["sequence"]).metadata.id == EventId(UUID(accepted.json()["request"]))


async def test_whoever_may_only_deploy_restarts_and_does_not_scale(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    await live(gateway, client)
    caller, scaling = Caller("token:ci", gateway.team, frozenset({Permission.DEPLOY})), Scaling(gateway.gateway)
    with pytest.raises(ForbiddenError):
        await scaling.scale(caller, ScaleCommand("shop", 2))
    await scaling.restart(caller, "shop")
    assert isinstance(gateway.log.at(gateway.log.length).event, RestartRequested)


async def test_restart_whose_builder_stays_away_ends_at_its_deadline_counted_from_its_last_step(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    identity = await live(gateway, client)
    await gateway.tell(identity, [DeploymentScaled(replicas=2)])
    request = UUID((await client.post("/projects/shop/restart", json={})).json()["request"])
    keeper = DeadlineKeeper(replace(gateway.gateway, clock=utc_now))
    first = await keeper.end_overdue()
    await gateway.tell(identity, fresh("run-2-2", 1))
    due = await keeper.end_overdue()
    assert first is not None
    assert due is not None
    assert due >= first
    explained = (await client.get(f"/deployments/{identity}/explain")).json()
    assert any("A restart is under way" in remark for remark in explained["remarks"])
    late = DeadlineKeeper(replace(gateway.gateway, clock=lambda: due + timedelta(seconds=1)))
    await late.end_overdue()
    end = gateway.log.at(gateway.log.length).event
    assert isinstance(end, RestartFailed)
    assert (end.request, end.code) == (request, "deadline")
    assert "whether the builder, the router and the proxies run" in end.reason
    assert not (await row(gateway, identity)).restarting
    explained = (await client.get(f"/deployments/{identity}/explain")).json()
    assert any("The last restart broke off" in remark for remark in explained["remarks"])


async def test_page_shows_the_containers_and_scales_and_restarts(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    identity = await live(gateway, client)
    session = gateway.session()
    async with gateway.browser(gateway.signed_in(session)) as browser:
        browser.headers["X-CSRF-Token"] = session.csrf
        page = (await browser.get("/projects/shop/containers")).text
        assert "1 of 1 healthy" in page
        for written in ("0", "101", "three", "", "²"):
            refused = await browser.post("/projects/shop/scale", data={"replicas": written})
            assert refused.status_code == 422
            assert 'id="replicas-production-error"' in refused.text
        scaled = await browser.post("/projects/shop/scale", data={"replicas": "2"})
        assert scaled.status_code == 303
        assert "1 of 2 healthy" in (await browser.get(scaled.headers["location"])).text
        restarted = await browser.post("/projects/shop/restart", data={"environment": "production"})
        assert "restarting" in (await browser.get(restarted.headers["location"])).text
        request = EventId((await row(gateway, identity)).restarts[0].request)
        await gateway.tell(identity, [RestartSucceeded(request=request, replaced=1, duration_ms=5)])
        assert "restarted 1 container in 5 ms" in (await browser.get("/events")).text
        nowhere = await browser.post("/projects/shop/restart", data={"environment": "staging"})
        assert nowhere.status_code == 404
