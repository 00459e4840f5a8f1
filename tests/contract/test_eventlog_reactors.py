"""Wake-ups in memory: the same meaning as on a real durable, in an order and a time that the test chooses."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from support.eventlog_samples import TALLIES, Tally, canceled, deployment_key, superseded
from windlass_contracts.events import DeploymentCanceled
from windlass_contracts.subjects import AggregateKey
from windlass_eventlog.errors import ConflictError, TryAgain
from windlass_eventlog.log import Expected
from windlass_eventlog.memory import Delivery, MemoryLog, MemoryReactors, MemoryRows
from windlass_eventlog.reaction import DECISIONS
from windlass_eventlog.reactor import Reactor, WakeUp

CANCELED = frozenset({DeploymentCanceled})
LATER = timedelta(seconds=10)


class Story:
    """A log, its rows, and one reactor."""

    def __init__(self, handle: Callable[[WakeUp], Awaitable[None]]) -> None:
        self.log = MemoryLog()
        self.rows = MemoryRows(self.log, [TALLIES])
        self.reactors = MemoryReactors(self.log, self.rows, [Reactor("test", CANCELED, handle)])

    async def cancel(self, key: AggregateKey | None = None, after: int = 0) -> int:
        key = key or deployment_key()
        return await self.log.append(canceled(key), Expected.at(key, after))


async def test_everything_is_delivered_in_order_to_whom_it_concerns() -> None:
    seen: list[int] = []

    async def handle(wake: WakeUp) -> None:
        seen.append(wake.recorded.sequence)

    story, key = Story(handle), deployment_key()
    await story.cancel(key)
    await story.log.append(superseded(key), Expected.at(key, 1))
    await story.cancel()
    await story.reactors.settle()

    assert seen == [1, 3]


async def test_what_a_handler_causes_is_delivered_too() -> None:
    async def handle(wake: WakeUp) -> None:
        if wake.recorded.sequence < 3:
            await story.cancel()

    story = Story(handle)
    await story.cancel()
    await story.reactors.settle()

    assert (await story.log.head(), story.reactors.waiting) == (3, [])


async def test_a_postponed_wake_up_comes_when_its_time_has_come() -> None:
    attempts: list[int] = []

    async def handle(wake: WakeUp) -> None:
        attempts.append(wake.attempt)
        if wake.attempt < 3:
            raise TryAgain(LATER, "not yet")

    story = Story(handle)
    await story.cancel()
    await story.reactors.settle()
    assert attempts == [1]
    await story.reactors.advance(LATER - timedelta(milliseconds=1))
    assert attempts == [1]
    await story.reactors.advance(LATER)
    assert attempts == [1, 2]
    await story.reactors.advance(10 * LATER)

    assert attempts == [1, 2, 3]
    assert story.reactors.now == 12 * LATER - timedelta(milliseconds=1)


async def test_a_wake_up_may_come_twice_and_in_any_order() -> None:
    seen: list[int] = []

    async def handle(wake: WakeUp) -> None:
        seen.append(wake.recorded.sequence)

    story = Story(handle)
    story.reactors.choose = max
    for _ in range(3):
        await story.cancel()
    await story.reactors.settle()
    story.reactors.deliver_again(2)
    await story.reactors.settle()

    assert seen == [3, 2, 1, 2]


async def test_a_handler_that_lost_a_race_decides_again_by_the_rows_of_then() -> None:
    rows: list[Tally | None] = []

    async def handle(wake: WakeUp) -> None:
        key = wake.recorded.key
        found = await story.rows.get(TALLIES, key.id)
        assert found is not None
        rows.append(found.row)
        if len(rows) == 1:
            await story.log.append(superseded(key), Expected.at(key, 1))
            raise ConflictError(key.pattern, 1, 2)

    story = Story(handle)
    await story.cancel()
    await story.reactors.settle()

    assert [row.open for row in rows if row is not None] == [True, False]


async def test_a_conflict_without_end_and_any_other_error_come_out_and_the_wake_up_stays() -> None:
    calls = 0

    async def handle(wake: WakeUp) -> None:
        nonlocal calls
        calls += 1
        if wake.attempt == 1:
            raise ConflictError("scope", 0, 1)

    story = Story(handle)
    await story.cancel()
    with pytest.raises(ConflictError):
        await story.reactors.settle()
    assert calls == DECISIONS
    assert story.reactors.waiting == [Delivery(timedelta(), 1, 2)]

    await story.reactors.settle()
    assert calls == DECISIONS + 1


async def test_rows_that_are_held_back_are_behind_until_they_are_let_go() -> None:
    async def handle(_wake: WakeUp) -> None:
        return

    story = Story(handle)
    for _ in range(3):
        await story.cancel()
    story.rows.stay_at(1)
    assert (story.rows.position, len(await story.rows.find(TALLIES, {}))) == (1, 1)
    story.rows.stay_at(None)
    assert (story.rows.position, len(await story.rows.find(TALLIES, {}))) == (3, 3)
