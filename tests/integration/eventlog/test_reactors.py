"""Wake-ups on a real durable: each at least once, one at a time for each aggregate, settled by what came of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
import structlog
from nats.aio.msg import Msg
from structlog.typing import EventDict

from support.eventlog_samples import TALLIES, canceled, deployment_key, superseded
from windlass_contracts.events import DeploymentCanceled
from windlass_contracts.subjects import STREAM, AggregateKey, Service
from windlass_eventlog import attending as attending_module
from windlass_eventlog.errors import ConflictError, NotProvisionedError, TryAgain
from windlass_eventlog.jetstream.connection import Connection
from windlass_eventlog.jetstream.consumers import ensure_consumer
from windlass_eventlog.jetstream.deliveries import Deliveries
from windlass_eventlog.jetstream.reactors import reacting
from windlass_eventlog.link import Link
from windlass_eventlog.log import Expected
from windlass_eventlog.reactor import Reactor, WakeUp
from windlass_eventlog.service import connected
from windlass_eventlog.settings import CommonSettings
from windlass_eventlog.topology import durable_of

CANCELED = frozenset({DeploymentCanceled})
Handler = Callable[[WakeUp], Awaitable[None]]


@pytest.fixture
async def service(settings: CommonSettings) -> AsyncIterator[Link]:
    """Yield the gateway's link as a user who may do everything: these tests append as all services."""
    everybody = settings.model_copy(update={"nats_seed_file": None})
    async with connected(Service.GATEWAY, everybody, projections=[TALLIES]) as opened:
        yield opened


async def cancel(service: Link, key: AggregateKey | None = None, after: int = 0) -> int:
    key = key or deployment_key()
    return await service.log.append(canceled(key), Expected.at(key, after))


def reactor(handle: Handler) -> list[Reactor]:
    return [Reactor("test", CANCELED, handle)]


async def settled(link: Connection) -> None:
    """Wait until the server knows that every event's wake-up was acknowledged, or given up."""
    head = (await link.jetstream.stream_info(STREAM)).state.last_seq
    async with asyncio.timeout(60):
        while True:
            floor = (await link.jetstream.consumer_info(STREAM, "gateway")).ack_floor
            if floor is not None and floor.stream_seq >= head:
                return
            await asyncio.sleep(0.01)


async def test_a_handler_is_woken_up_by_its_events_alone_once_its_rows_have_them(
    service: Link, link: Connection
) -> None:
    seen: list[tuple[int, int]] = []

    async def handle(wake: WakeUp) -> None:
        row = await service.rows.get(TALLIES, wake.recorded.key.id)
        seen.append((wake.recorded.sequence, 0 if row is None else row.sequence))

    key = deployment_key()
    await cancel(service, key)
    async with service.reacting(reactor(handle)):
        await service.log.append(superseded(key), Expected.at(key, 1))
        for _ in range(20):
            await cancel(service)
        await settled(link)

    assert sorted(sequence for sequence, _ in seen) == [1, *range(3, 23)]
    assert all(row_sequence >= sequence for sequence, row_sequence in seen)


async def test_an_aggregate_is_handled_one_at_a_time_and_others_beside_it(service: Link, link: Connection) -> None:
    one, other = deployment_key(), deployment_key()
    at_work: list[AggregateKey] = []
    most_at_work = 0
    order: list[int] = []
    both_at_work = asyncio.Event()

    async def handle(wake: WakeUp) -> None:
        nonlocal most_at_work
        key = wake.recorded.key
        at_work.append(key)
        most_at_work = max(most_at_work, at_work.count(key))
        if set(at_work) == {one, other}:
            both_at_work.set()
        await both_at_work.wait()
        order.append(wake.recorded.sequence)
        at_work.remove(key)

    async with service.reacting(reactor(handle)):
        for after in range(3):
            await cancel(service, one, after)
        await cancel(service, other)
        await settled(link)

    assert [sequence for sequence in order if sequence != 4] == [1, 2, 3]
    assert most_at_work == 1


async def test_a_handler_that_lost_a_race_decides_again_at_once_by_fresh_rows(service: Link, link: Connection) -> None:
    key, decided = deployment_key(), list[int]()

    async def handle(wake: WakeUp) -> None:
        row = await service.rows.get(TALLIES, key.id)
        assert row is not None
        decided.append(row.sequence)
        if len(decided) == 1:
            await service.log.append(superseded(key), Expected.at(key, 1))  # somebody else is faster
        await service.append.caused(wake.recorded, key, DeploymentCanceled(), row.sequence)

    once = [Reactor("test", CANCELED, partial(_first_only, handle))]
    async with service.reacting(once):
        await cancel(service, key)
        await settled(link)

    assert decided == [1, 2]
    assert await service.log.head() == 3


async def _first_only(handle: Handler, wake: WakeUp) -> None:
    if wake.recorded.sequence == 1:
        await handle(wake)


async def test_a_wake_up_may_be_postponed_more_often_than_it_may_fail(service: Link, link: Connection) -> None:
    calls = 0

    async def handle(_wake: WakeUp) -> None:
        nonlocal calls
        calls += 1
        if calls <= attending_module.TRIES + 5:
            raise TryAgain(timedelta(milliseconds=1), "not yet")

    async with service.reacting(reactor(handle)):
        await cancel(service)
        await settled(link)

    assert calls == attending_module.TRIES + 6


@pytest.fixture
def said() -> Iterator[list[EventDict]]:
    with structlog.testing.capture_logs() as entries:
        yield entries


async def test_a_failing_handler_is_tried_a_bounded_number_of_times_and_then_given_up_loudly(
    service: Link, link: Connection, said: list[EventDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attending_module, "TRIES", 4)
    monkeypatch.setattr(attending_module, "_FIRST_DELAY", timedelta(milliseconds=1))
    calls, good = 0, list[int]()

    async def handle(wake: WakeUp) -> None:
        nonlocal calls
        if wake.recorded.sequence == 1:
            calls += 1
            raise ArithmeticError("one is too much")
        good.append(wake.recorded.sequence)

    async with service.reacting(reactor(handle)):
        await cancel(service)
        await cancel(service)
        await settled(link)

    assert (calls, good) == (4, [2])
    failures = [entry for entry in said if entry["event"].startswith("reaction.")]
    assert [(entry["log_level"], entry["event"], entry["sequence"]) for entry in failures] == [
        *[("error", "reaction.failed", 1)] * 3,
        ("critical", "reaction.abandoned", 1),
    ]


async def test_one_failing_handler_keeps_no_other_from_its_work(
    service: Link, link: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attending_module, "TRIES", 1)
    woken: list[str] = []

    async def fail(_wake: WakeUp) -> None:
        woken.append("failing")
        raise ArithmeticError

    async def succeed(_wake: WakeUp) -> None:
        woken.append("good")

    async with service.reacting([Reactor("failing", CANCELED, fail), Reactor("good", CANCELED, succeed)]):
        await cancel(service)
        await settled(link)

    assert woken == ["failing", "good"]


async def test_work_that_takes_longer_than_the_server_waits_is_told_of_and_not_begun_twice(
    service: Link, link: Connection, provisioned: str
) -> None:
    impatient = replace(durable_of(Service.GATEWAY), ack_wait=timedelta(milliseconds=300))
    await ensure_consumer(link.jetstream, impatient)
    calls: list[int] = []
    told = 0
    long_enough = asyncio.Event()

    async def handle(wake: WakeUp) -> None:
        calls.append(wake.recorded.sequence)
        await long_enough.wait()

    async def overhear(message: Msg) -> None:
        nonlocal told
        told += message.data == b"+WPI"
        if told > 3:  # it is told three times in its patience
            long_enough.set()

    await link.client.subscribe(f"$JS.ACK.{STREAM}.{impatient.name}.>", cb=overhear)
    async with reacting(link, provisioned, impatient, service.attending(reactor(handle))):
        await cancel(service)
        await settled(link)
    assert calls == [1]


async def test_a_wake_up_that_comes_again_while_it_is_worked_on_is_left_alone(service: Link, link: Connection) -> None:
    impatient = replace(durable_of(Service.GATEWAY), ack_wait=timedelta(milliseconds=100))
    await ensure_consumer(link.jetstream, impatient)
    calls: list[int] = []
    deliveries = 0
    came_thrice = asyncio.Event()

    async def handle(wake: WakeUp) -> None:
        calls.append(wake.recorded.sequence)
        await came_thrice.wait()

    silent = Deliveries(service.attending(reactor(handle)), ack_wait=timedelta(minutes=1))

    async def take(message: Msg) -> None:
        nonlocal deliveries
        deliveries += 1
        await silent.take(message)
        if deliveries == 3:
            came_thrice.set()

    await link.client.subscribe(impatient.deliver_subject, queue=impatient.name, cb=take)
    await cancel(service)
    await settled(link)

    assert calls == [1]


async def test_work_that_is_cut_off_comes_again_at_once(service: Link, link: Connection, provisioned: str) -> None:
    patient = replace(durable_of(Service.GATEWAY), ack_wait=timedelta(hours=1))
    await ensure_consumer(link.jetstream, patient)
    begun, calls = asyncio.Event(), list[int]()

    async def hang(_wake: WakeUp) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def handle(wake: WakeUp) -> None:
        calls.append(wake.recorded.sequence)

    async with reacting(link, provisioned, patient, service.attending(reactor(hang))):
        await cancel(service)
        await begun.wait()
    async with reacting(link, provisioned, patient, service.attending(reactor(handle))):
        await settled(link)  # long before the server would ask again

    assert calls == [1]


async def test_a_durable_that_is_missing_or_another_is_refused_at_the_start(service: Link, link: Connection) -> None:
    async def entered(reacting_service: AbstractAsyncContextManager[object]) -> None:
        async with reacting_service:
            raise AssertionError

    config = (await link.jetstream.consumer_info(STREAM, "gateway")).config
    config.max_ack_pending = 3
    await link.jetstream.add_consumer(STREAM, config)
    with pytest.raises(NotProvisionedError, match="max_ack_pending: 3 -> 2000"):
        await entered(service.reacting([]))

    await link.jetstream.delete_consumer(STREAM, "gateway")
    with pytest.raises(NotProvisionedError, match="There is no consumer gateway"):
        await entered(service.reacting([]))


async def test_a_conflict_that_never_ends_counts_as_a_failure(
    service: Link, link: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attending_module, "TRIES", 2)
    monkeypatch.setattr(attending_module, "_FIRST_DELAY", timedelta(milliseconds=1))
    calls = 0

    async def handle(wake: WakeUp) -> None:
        nonlocal calls
        calls += 1
        raise ConflictError("scope", 0, wake.recorded.sequence)

    async with service.reacting(reactor(handle)):
        await cancel(service)
        await settled(link)

    assert calls == 20
