"""What every event log does, whatever keeps it. The tests of each adapter subclass it and give the fixture `log`."""

import asyncio
from contextlib import aclosing
from datetime import timedelta
from uuid import uuid4

import pytest

from support.eventlog_samples import canceled, deployment_key, project_created, superseded
from windlass_contracts.cloudevent import Metadata, Proposed, Recorded
from windlass_contracts.errors import ContractError
from windlass_contracts.event import Event
from windlass_contracts.events import DeploymentCanceled
from windlass_contracts.ids import EventId
from windlass_contracts.subjects import ALL_EVENTS, PROJECT_REGISTRY, Service
from windlass_eventlog.errors import ConflictError, GapError
from windlass_eventlog.log import EventLog, Expected


async def read(log: EventLog, count: int, after: int = 0, pattern: str = ALL_EVENTS) -> list[Recorded[Event]]:
    """Return the next `count` events; wait for them as long as any test may last."""
    found: list[Recorded[Event]] = []
    async with asyncio.timeout(60), aclosing(log.read(after, pattern)) as events:
        async for event in events:
            found.append(event)
            if len(found) == count:
                break
    return found


class LogContract:
    async def test_an_event_is_read_as_it_was_appended(self, log: EventLog) -> None:
        key = deployment_key()
        proposed = superseded(key)
        assert await log.head() == 0

        assert await log.append(proposed, Expected.new(key)) == 1

        (found,) = await read(log, 1)
        assert (found.sequence, found.service, found.key) == (1, Service.ROUTER, key)
        assert (found.event, found.metadata) == (proposed.event, proposed.metadata)
        assert await log.head() == 1

    async def test_exactly_one_of_racing_writers_wins(self, log: EventLog) -> None:
        key = deployment_key()
        writers = [canceled(key, by=service) for service in (Service.GATEWAY, Service.BUILDER) for _ in range(10)]

        outcomes = await asyncio.gather(
            *(log.append(writer, Expected.new(key)) for writer in writers), return_exceptions=True
        )

        conflicts = [outcome for outcome in outcomes if isinstance(outcome, ConflictError)]
        assert [outcome for outcome in outcomes if not isinstance(outcome, ConflictError)] == [1]
        assert {(conflict.expected, conflict.actual) for conflict in conflicts} <= {(0, 1), (0, None)}
        assert await log.head() == 1

    async def test_an_aggregate_is_written_one_behind_the_other(self, log: EventLog) -> None:
        key, other = deployment_key(), deployment_key()
        first = await log.append(canceled(key), Expected.new(key))
        await log.append(canceled(other), Expected.new(other))

        second = await log.append(superseded(key), Expected.at(key, first))

        assert second == 3
        with pytest.raises(ConflictError) as conflict:
            await log.append(canceled(key), Expected.at(key, first))
        assert (conflict.value.expected, conflict.value.actual) == (first, second)

    async def test_the_registry_of_projects_is_one_scope_for_all_teams(self, log: EventLog) -> None:
        shop, blog = project_created("shop"), project_created("blog")
        assert shop.key.team != blog.key.team
        assert await log.append(shop, Expected(PROJECT_REGISTRY, 0)) == 1

        with pytest.raises(ConflictError) as conflict:
            await log.append(blog, Expected(PROJECT_REGISTRY, 0))

        assert conflict.value.actual == 1
        assert await log.append(blog, Expected(PROJECT_REGISTRY, 1)) == 2

    async def test_the_same_event_again_has_the_sequence_that_it_has(self, log: EventLog) -> None:
        key = deployment_key()
        first = canceled(key)
        assert await log.append(first, Expected.new(key)) == 1
        assert await log.append(superseded(key), Expected.at(key, 1)) == 2
        assert await log.append(canceled(key), Expected.at(key, 2)) == 3

        again = [await log.append(first, Expected.at(key, expected)) for expected in (0, 1, 2, 3, 77)]

        assert again == [1, 1, 1, 1, 1]
        assert await log.head() == 3

    async def test_a_new_event_is_no_old_one_for_having_the_same_content(self, log: EventLog) -> None:
        key = deployment_key()
        await log.append(canceled(key), Expected.new(key))

        with pytest.raises(ConflictError):
            await log.append(canceled(key), Expected.new(key))

    async def test_an_event_that_nobody_could_read_is_not_appended(self, log: EventLog) -> None:
        key, event_id = deployment_key(), EventId(uuid4())
        good = canceled(key)
        nobody = Metadata(event_id, good.metadata.time, "nobody", correlation=event_id)

        for bad in (
            Proposed(Service.MONITOR, key, DeploymentCanceled(), good.metadata),
            Proposed(Service.GATEWAY, key, DeploymentCanceled(), nobody),
        ):
            with pytest.raises(ContractError):
                await log.append(bad, Expected.new(key))

        assert await log.head() == 0

    async def test_a_reader_begins_behind_a_position_and_goes_on_with_what_comes(self, log: EventLog) -> None:
        keys = [deployment_key() for _ in range(6)]
        for key in keys[:4]:
            await log.append(canceled(key), Expected.new(key))

        reading = asyncio.create_task(read(log, 4, after=2))
        await asyncio.sleep(0)
        for key in keys[4:]:
            await log.append(canceled(key), Expected.new(key))

        found = await reading
        assert [(event.sequence, event.key) for event in found] == list(zip(range(3, 7), keys[2:], strict=True))

    async def test_a_reader_of_a_pattern_gets_what_matches_and_nothing_else(self, log: EventLog) -> None:
        mine, theirs = deployment_key(), deployment_key()
        last = {mine: 0, theirs: 0}
        for _ in range(3):
            for key in (mine, theirs):
                last[key] = await log.append(canceled(key), Expected.at(key, last[key]))
        await log.append(superseded(mine), Expected.at(mine, 5))

        assert [event.sequence for event in await read(log, 4, pattern=mine.pattern)] == [1, 3, 5, 7]
        assert [event.sequence for event in await read(log, 2, after=3, pattern=mine.pattern)] == [5, 7]
        by_router = f"evt.router.{mine.team}.>"
        assert [event.sequence for event in await read(log, 1, pattern=by_router)] == [7]

    async def test_a_reader_that_is_ahead_of_the_log_is_told(self, log: EventLog) -> None:
        key = deployment_key()
        await log.append(canceled(key), Expected.new(key))

        with pytest.raises(GapError, match="ends at"):
            await read(log, 1, after=2)

    async def test_many_readers_get_the_same(self, log: EventLog) -> None:
        keys = [deployment_key() for _ in range(30)]
        readers = [asyncio.create_task(read(log, 30)) for _ in range(3)]
        await asyncio.gather(*(log.append(canceled(key), Expected.new(key)) for key in keys))

        first, second, third = await asyncio.gather(*readers)

        assert [event.sequence for event in first] == list(range(1, 31))
        assert {event.key for event in first} == set(keys)
        assert first == second == third

    async def test_one_message_is_looked_up_by_its_sequence(self, log: EventLog) -> None:
        keys = [deployment_key() for _ in range(3)]
        for key in keys:
            await log.append(canceled(key), Expected.new(key))

        found = await log.message(2)

        assert (found.sequence, found.recorded()) == (2, (await read(log, 1, after=1))[0])
        for nowhere in (4, 1_000_000):
            with pytest.raises(GapError, match=f"nothing at sequence {nowhere}"):
                await log.message(nowhere)

    async def test_it_says_when_it_was_made_and_never_says_otherwise(self, log: EventLog) -> None:
        created = await log.created()
        key = deployment_key()
        await log.append(canceled(key), Expected.new(key))

        assert created.utcoffset() == timedelta(0)
        assert await log.created() == created
