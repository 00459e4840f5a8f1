"""What its owner abandoned is ended by the gateway, at its deadline, once, also after a restart."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from support.eventlog_samples import PATIENT
from support.gateway_story import REPOSITORY, way_to_live
from support.memory_gateway import MemoryGateway
from windlass_contracts.events import Failed, RoutesFailed
from windlass_contracts.ids import DeploymentId
from windlass_contracts.lifecycle import Phase
from windlass_contracts.subjects import AggregateKey
from windlass_eventlog.clock import utc_now
from windlass_eventlog.memory.reactors import MemoryReactors
from windlass_gateway.application.deadlines import DeadlineKeeper
from windlass_gateway.application.projections import DEPLOYMENTS
from windlass_gateway.domain.deadlines import awaited
from windlass_gateway.domain.deployment import Deployment

AT_ONCE = timedelta(0)


def keeper_at(gateway: MemoryGateway, moment: datetime) -> DeadlineKeeper:
    return DeadlineKeeper(replace(gateway.gateway, clock=lambda: moment), AT_ONCE)


async def request(gateway: MemoryGateway) -> UUID:
    async with gateway.client() as client:
        answer = await client.post("/deployments", json={"git": REPOSITORY, "ref": "main"})
    return UUID(answer.json()["deployment"])


async def row(gateway: MemoryGateway, identity: UUID) -> Deployment:
    found = await gateway.rows.get(DEPLOYMENTS, identity)
    assert found is not None
    return found.row


async def given_up_at(gateway: MemoryGateway, identity: UUID) -> datetime:
    waiting = awaited(await row(gateway, identity))
    assert waiting is not None
    return waiting.given_up_at


async def test_an_abandoned_build_fails_at_its_deadline_and_not_before() -> None:
    gateway = MemoryGateway()
    identity = await request(gateway)
    await gateway.tell(identity, way_to_live()[1:2])
    moment = await given_up_at(gateway, identity)
    early = keeper_at(gateway, moment - timedelta(milliseconds=1))
    assert await early.end_overdue() == moment
    assert (await row(gateway, identity)).phase is Phase.BUILDING
    assert await keeper_at(gateway, moment).end_overdue() is None
    failed = gateway.log.at(gateway.log.length)
    assert isinstance(failed.event, Failed)
    assert failed.event.code == "building-abandoned-by-builder"
    assert "builder gave no answer" in failed.event.reason
    assert failed.metadata.correlation == gateway.log.at(3).metadata.correlation


async def test_what_ended_is_left_alone_however_late_it_is() -> None:
    gateway = MemoryGateway()
    identity = await request(gateway)
    await gateway.make_live(identity, "shop")
    end = gateway.log.length
    assert await keeper_at(gateway, utc_now() + timedelta(days=9)).end_overdue() is None
    assert gateway.log.length == end


async def test_an_answer_at_the_last_moment_wins() -> None:
    gateway = MemoryGateway()
    identity = await request(gateway)
    moment = await given_up_at(gateway, identity)
    found = await row(gateway, identity)
    gateway.rows.stay_at(gateway.log.length)
    key, build_started = AggregateKey.of_deployment(found.team, found.project, DeploymentId(identity)), way_to_live()[1]
    await gateway.append(key, build_started)
    late = keeper_at(gateway, moment)
    again = await late.end_overdue()
    gateway.rows.stay_at(None)
    assert again is not None
    assert (await row(gateway, identity)).phase is Phase.BUILDING


async def test_a_rollback_that_nobody_answers_fails_too() -> None:
    gateway = MemoryGateway()
    first, second = await request(gateway), await request(gateway)
    await gateway.make_live(first, "shop")
    await gateway.make_live(second, "shop")
    async with gateway.client() as client:
        accepted = (await client.post("/projects/shop/rollback", json={})).json()
    assert await keeper_at(gateway, utc_now()).end_overdue() is not None
    assert await keeper_at(gateway, utc_now() + timedelta(hours=1)).end_overdue() is None
    event = gateway.log.at(gateway.log.length).event
    assert isinstance(event, RoutesFailed)
    assert event.request == UUID(accepted["request"])


async def test_an_event_makes_the_keeper_look_at_what_it_is_about_and_at_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gateway = MemoryGateway()
    moments = [utc_now()]
    keeper = DeadlineKeeper(replace(gateway.gateway, clock=lambda: moments[0]), AT_ONCE)
    reactors = MemoryReactors(gateway.log, gateway.rows, [keeper.reactor])
    read: list[UUID] = []
    get = gateway.rows.get

    async def counted(projection: Any, key: UUID) -> Any:  # noqa: ANN401 - any row
        if projection is DEPLOYMENTS:
            read.append(key)
        return await get(projection, key)

    others = [await request(gateway) for _ in range(5)]
    running = asyncio.ensure_future(keeper.run())
    await reactors.settle()
    await asyncio.sleep(0)
    identity = await request(gateway)
    monkeypatch.setattr(gateway.rows, "get", counted)
    monkeypatch.setattr(gateway.rows, "find", None)
    await reactors.settle()
    for _ in range(20):
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait({running})
    assert identity in read
    assert not set(read) & set(others)


async def test_a_new_deployment_wakes_the_keeper_that_waits() -> None:
    gateway = MemoryGateway()
    moments = [utc_now()]
    keeper = DeadlineKeeper(replace(gateway.gateway, clock=lambda: moments[0]), AT_ONCE)
    reactors = MemoryReactors(gateway.log, gateway.rows, [keeper.reactor])
    running = asyncio.ensure_future(keeper.run())
    identity = await request(gateway)
    moments[0] = await given_up_at(gateway, identity)
    await reactors.settle()
    await gateway.rows.reached(4, PATIENT)
    running.cancel()
    await asyncio.wait({running})
    assert (await row(gateway, identity)).phase is Phase.FAILED


async def test_a_deadline_that_passes_while_it_sleeps_is_kept_without_any_event() -> None:
    gateway = MemoryGateway()
    identity = await request(gateway)
    deadline = await given_up_at(gateway, identity)
    started = utc_now()
    # A clock on which the deadline is 50 ms away when the keeper first looks.
    keeper = DeadlineKeeper(
        replace(gateway.gateway, clock=lambda: deadline - timedelta(milliseconds=50) + (utc_now() - started)),
        AT_ONCE,
    )
    running = asyncio.ensure_future(keeper.run())
    await gateway.rows.reached(4, PATIENT)
    running.cancel()
    await asyncio.wait({running})
    assert (await row(gateway, identity)).phase is Phase.FAILED


async def test_a_rollback_wakes_the_keeper_that_waits() -> None:
    gateway = MemoryGateway()
    first, second = await request(gateway), await request(gateway)
    await gateway.make_live(first, "shop")
    await gateway.make_live(second, "shop")
    moments = [utc_now()]
    keeper = DeadlineKeeper(replace(gateway.gateway, clock=lambda: moments[0]), AT_ONCE)
    reactors = MemoryReactors(gateway.log, gateway.rows, [keeper.reactor])
    await reactors.settle()
    running = asyncio.ensure_future(keeper.run())
    async with gateway.client() as client:
        accepted = (await client.post("/projects/shop/rollback", json={})).json()
    moments[0] += timedelta(hours=1)
    await reactors.settle()
    await gateway.rows.reached(accepted["sequence"] + 1, PATIENT)
    running.cancel()
    await asyncio.wait({running})
    assert isinstance(gateway.log.at(gateway.log.length).event, RoutesFailed)


@pytest.mark.parametrize("told", range(6))
async def test_what_passed_while_the_gateway_was_down_is_ended_at_its_next_start_and_once(told: int) -> None:
    before = MemoryGateway()
    identity = await request(before)
    await before.tell(identity, way_to_live()[1 : told + 1])
    waiting = awaited(await row(before, identity))
    assert waiting is not None
    for later in (timedelta(hours=3), timedelta(hours=4)):  # it is started, and started once more
        restarted = MemoryGateway(log=before.log)
        keeper = keeper_at(restarted, waiting.given_up_at + later)
        running = asyncio.ensure_future(keeper.run())
        await restarted.rows.reached(4 + told, PATIENT)
        running.cancel()
        await asyncio.wait({running})
    events = [before.log.at(sequence).event for sequence in range(1, before.log.length + 1)]
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert failed.code == f"{_phase(told)}-abandoned-by-{waiting.owner}"


def _phase(told: int) -> Phase:
    return (Phase.REQUESTED, Phase.BUILDING, Phase.BUILT, Phase.STARTED, Phase.HEALTHY, Phase.CUTOVER)[told]


@pytest.mark.parametrize("told", range(6))
async def test_a_restart_before_the_deadline_neither_forgets_nor_moves_it(told: int) -> None:
    before = MemoryGateway()
    identity = await request(before)
    await before.tell(identity, way_to_live()[1 : told + 1])
    moment = await given_up_at(before, identity)
    restarted = MemoryGateway(log=before.log)
    assert await keeper_at(restarted, moment - timedelta(seconds=1)).end_overdue() == moment
    again = MemoryGateway(log=before.log)
    assert await keeper_at(again, moment).end_overdue() is None
    assert (await row(again, identity)).phase is Phase.FAILED


async def test_a_gateway_that_is_killed_right_after_it_ended_something_ends_it_once() -> None:
    before = MemoryGateway()
    identity = await request(before)
    moment = await given_up_at(before, identity)
    before.rows.stay_at(before.log.length)  # it dies before its own rows show the end
    await keeper_at(before, moment).end_overdue()
    stale = MemoryGateway(log=before.log)
    stale.rows.stay_at(3)  # and the next one decides before it has caught up
    await keeper_at(stale, moment + timedelta(seconds=1)).end_overdue()
    assert [type(before.log.at(n).event) for n in range(1, before.log.length + 1)].count(Failed) == 1
