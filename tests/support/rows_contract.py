"""What rows of projections do, whatever keeps them. The tests of each adapter subclass it and give `opened`."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import pytest

from support.eventlog_samples import LAST_WRITERS, PATIENT, TALLIES, Tally, canceled, deployment_key, superseded
from windlass_contracts.cloudevent import TYPE_HEADER
from windlass_contracts.subjects import Service
from windlass_eventlog.errors import HaltedError, NotReachedError
from windlass_eventlog.folding import AnyProjection
from windlass_eventlog.log import EventLog, Expected
from windlass_eventlog.memory import MemoryLog
from windlass_eventlog.message import StoredMessage
from windlass_eventlog.projection import Rows

Opened = Callable[[MemoryLog, Sequence[AnyProjection]], AbstractAsyncContextManager[Rows]]
PROJECTIONS = (TALLIES, LAST_WRITERS)
SOON = timedelta(milliseconds=30)


class RowsContract:
    async def test_a_row_carries_the_sequence_of_the_last_event_about_its_key(self, opened: Opened) -> None:
        log, key = MemoryLog(), deployment_key()
        async with opened(log, PROJECTIONS) as rows:
            await log.append(canceled(key), Expected.new(key))
            last = await log.append(superseded(key), Expected.at(key, 1))
            await rows.reached(last, PATIENT)

            tally, writer = await rows.get(TALLIES, key.id), await rows.get(LAST_WRITERS, key.team)

        assert tally is not None
        assert (tally.key, tally.sequence, tally.row.count, tally.row.open) == (key.id, 2, 2, False)
        assert writer is not None
        assert (writer.row.service, writer.sequence) == (Service.GATEWAY, 2), "an event that changes nothing counts too"

    async def test_a_row_that_evolves_to_none_is_gone_and_may_come_back(self, opened: Opened) -> None:
        log, key = MemoryLog(), deployment_key()
        async with opened(log, PROJECTIONS) as rows:
            for after in range(4):
                await log.append(canceled(key), Expected.at(key, after))
            await rows.reached(4, PATIENT)
            assert await rows.get(TALLIES, key.id) is None
            assert await rows.find(TALLIES, {}) == []

            await log.append(canceled(key), Expected.at(key, 4))
            await rows.reached(5, PATIENT)
            back = await rows.get(TALLIES, key.id)

        assert back is not None
        assert (back.row.count, back.sequence) == (1, 5)

    async def test_rows_are_found_by_their_indexed_fields_latest_first(self, opened: Opened) -> None:
        log, keys = MemoryLog(), [deployment_key() for _ in range(4)]
        async with opened(log, PROJECTIONS) as rows:
            for key in keys:
                await log.append(canceled(key), Expected.new(key))
            await log.append(superseded(keys[1]), Expected.at(keys[1], 2))
            await rows.reached(5, PATIENT)

            places = {key.id: place for place, key in enumerate(keys)}

            async def found(limit: int | None = None, **where: object) -> list[int]:
                return [places[row.key] for row in await rows.find(TALLIES, where, limit=limit)]

            assert await found() == [1, 3, 2, 0]
            assert await found(limit=2) == [1, 3]
            assert await found(open=True) == [3, 2, 0]
            assert await found(open=False) == [1]
            assert await found(team=keys[2].team) == [2]
            assert await found(team=(keys[0].team, keys[1].team)) == [1, 0]
            assert await found(team=(keys[0].team, keys[1].team), open=True) == [0]
            assert await found(team=()) == []
            assert await found(count=(2, 7)) == [1]
            assert await found(remark=None) == [3, 2, 0]
            assert await found(remark=(None, "x"), open=True, limit=1) == [3]
            assert await found(team="' OR true --") == []
            assert await found(team="\x00") == []
            assert await found(team=("\x00", keys[2].team)) == [2]

    async def test_a_list_that_is_kept_says_what_was_written_since(self, opened: Opened) -> None:
        log, keys = MemoryLog(), [deployment_key() for _ in range(4)]
        async with opened(log, PROJECTIONS) as rows:

            async def kept(**where: object) -> list[int]:
                await rows.reached(log.length, PATIENT)
                found = await rows.kept(TALLIES, where)
                assert found == await rows.find(TALLIES, where)
                return [place for row in found for place, key in enumerate(keys) if key.id == row.key]

            assert await kept() == await kept(open=True) == []
            for key in keys[:3]:
                await log.append(canceled(key), Expected.new(key))
            assert await kept() == await kept(open=True) == [2, 1, 0]
            await log.append(superseded(keys[0]), Expected.at(keys[0], 1))
            last = await log.append(canceled(keys[3]), Expected.new(keys[3]))
            assert await kept() == [3, 0, 2, 1]
            assert await kept(open=True) == [3, 2, 1]
            for after in (3, last + 1, last + 2):
                await log.append(canceled(keys[2]), Expected.at(keys[2], after))
            assert await kept() == [3, 0, 1], "a row that is gone is in no list"
            assert await kept(team=(keys[0].team, keys[3].team)) == [3, 0]

    async def test_rows_are_listed_by_a_number_page_by_page_whatever_touched_them_since(self, opened: Opened) -> None:
        log, keys = MemoryLog(), [deployment_key() for _ in range(12)]
        async with opened(log, PROJECTIONS) as rows:
            for key in keys:
                await log.append(canceled(key), Expected.new(key))
            await log.append(superseded(keys[1]), Expected.at(keys[1], 2))
            await rows.reached(13, PATIENT)

            async def born(limit: int = 3, below: int | None = None, **where: object) -> list[int]:
                found = await rows.page(TALLIES, where, by="born", limit=limit, below=below)
                return [row.row.born for row in found]

            assert await born() == [12, 11, 10], "by number, not as text"
            assert await born(below=10) == [9, 8, 7]
            assert await born(below=1) == []
            assert await born(limit=99, open=False) == [2]
            assert await born(team=(keys[0].team, keys[10].team)) == [11, 1]
            with pytest.raises(LookupError, match="ordered"):
                await rows.page(TALLIES, {}, by="count", limit=1)

    async def test_rows_of_many_keys_are_got_at_once(self, opened: Opened) -> None:
        log, keys = MemoryLog(), [deployment_key() for _ in range(3)]
        async with opened(log, PROJECTIONS) as rows:
            for key in keys:
                await log.append(canceled(key), Expected.new(key))
            await rows.reached(3, PATIENT)
            found = await rows.get_all(TALLIES, [keys[2].id, keys[0].id, deployment_key().id])
            none = await rows.get_all(TALLIES, [])

        assert {key: row.sequence for key, row in found.items()} == {keys[2].id: 3, keys[0].id: 1}
        assert none == {}

    async def test_only_declared_fields_and_known_projections_are_looked_up(self, opened: Opened) -> None:
        async with opened(MemoryLog(), (TALLIES,)) as rows:
            with pytest.raises(LookupError, match="indexes"):
                await rows.find(TALLIES, {"team; DROP TABLE x": 1})
            with pytest.raises(LookupError, match="last_writers"):
                await rows.get(LAST_WRITERS, deployment_key().id)

    async def test_waiting_for_a_sequence_ends_when_it_is_reached_or_patience_does(self, opened: Opened) -> None:
        log, key = MemoryLog(), deployment_key()
        async with opened(log, PROJECTIONS) as rows:
            with pytest.raises(NotReachedError, match="did not reach 1"):
                await rows.reached(1, SOON)
            waiting = asyncio.create_task(rows.reached(1, PATIENT))
            await asyncio.sleep(0)
            await log.append(canceled(key), Expected.new(key))
            await waiting

            assert rows.position == 1
            assert await rows.get(TALLIES, key.id) is not None

    async def test_rows_of_what_was_there_before_are_there_at_once(self, opened: Opened) -> None:
        log, keys = MemoryLog(), [deployment_key() for _ in range(50)]
        for key in keys:
            await log.append(canceled(key), Expected.new(key))
        async with opened(log, PROJECTIONS) as rows:
            await rows.reached(50, PATIENT)
            found = await rows.find(TALLIES, {})

        assert [row.key for row in found] == [key.id for key in reversed(keys)]
        assert {row.row for row in found} == {
            Tally(team=key.team, count=1, open=True, born=born) for born, key in enumerate(keys, start=1)
        }

    async def test_rows_halt_right_before_an_event_that_cannot_be_read(self, opened: Opened) -> None:
        log = UnreadableAtThree()
        await appended(log, 5)
        async with opened(log, PROJECTIONS) as rows:
            await rows.reached(2, PATIENT)
            with pytest.raises(HaltedError, match=r"sequence 3 of EVENTS.*deployment\.teleported\.v1"):
                await rows.reached(3, PATIENT)

            assert rows.position == 2


class UnreadableAtThree(MemoryLog):
    """A log that a newer release wrote to."""

    def stored(self, sequence: int) -> StoredMessage:
        message = super().stored(sequence)
        if sequence == 3:
            message.headers = {**message.headers, TYPE_HEADER: "deployment.teleported.v1"}
        return message


async def appended(log: EventLog, count: int) -> None:
    """Append that many events about new deployments."""
    for _ in range(count):
        key = deployment_key()
        await log.append(canceled(key), Expected.new(key))
