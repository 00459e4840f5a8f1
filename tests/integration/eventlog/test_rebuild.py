"""Rows rebuilt beside the live ones and swapped under running runners; rows compared with what the log says."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from support.eventlog_samples import LAST_WRITERS, PATIENT, TALLIES, canceled, deployment_key
from support.rows_contract import PROJECTIONS, UnreadableAtThree, appended
from support.running_rows import RunningRows, rows_of
from windlass_contracts.cloudevent import TYPE_HEADER
from windlass_eventlog.errors import HaltedError, RebuildRunningError
from windlass_eventlog.folding import AnyProjection
from windlass_eventlog.log import Expected
from windlass_eventlog.memory import MemoryLog, MemoryRows
from windlass_eventlog.message import StoredMessage
from windlass_eventlog.postgres import leftovers
from windlass_eventlog.postgres.comparison import compare
from windlass_eventlog.postgres.database import Database, database
from windlass_eventlog.postgres.rebuild import rebuild
from windlass_eventlog.projection import Rows

NOTHING = frozenset[int]()


@pytest.fixture
async def own(database_url: str) -> AsyncIterator[Database]:
    async with database(database_url, "test") as opened:
        yield opened


async def everything(rows: Rows) -> list[object]:
    return [await rows.find(TALLIES, {}), await rows.find(LAST_WRITERS, {})]


async def told(log: MemoryLog, count: int) -> None:
    """Append events about ten deployments, in turn."""
    keys = [deployment_key() for _ in range(10)]
    last = [0] * len(keys)
    for number in range(count):
        place = number % len(keys)
        last[place] = await log.append(canceled(keys[place]), Expected.at(keys[place], last[place]))


async def schemas(own: Database) -> list[str]:
    names = "SELECT nspname FROM pg_namespace WHERE nspname LIKE '%\\_gateway\\_%'"
    found = await own.ask(lambda session: session.fetch(names))  # some of its sessions may have been killed just now
    return [record["nspname"] for record in found]


async def spoil(own: Database, here: RunningRows, projection: AnyProjection) -> None:
    await own.pool.execute(f"UPDATE {here.layout.table(projection)} SET sequence = 99")  # noqa: S608 - a name of ours


async def test_a_rebuild_puts_right_what_was_wrong_while_two_processes_go_on(own: Database) -> None:
    log = MemoryLog()
    here = RunningRows(log, own, PROJECTIONS)
    async with here.runner() as first, here.runner() as second:
        await told(log, 60)
        await asyncio.gather(*(runner.progress.reached(60, None) for runner in (first, second)))
        await spoil(own, here, TALLIES)
        assert await everything(rows_of(first)) != await everything(MemoryRows(log, PROJECTIONS))

        done = await rebuild(log, own, here.layout, NOTHING)
        first.look_again()

        assert (done.sequence, done.events, done.rows) == (60, 60, 20)
        assert await everything(rows_of(first)) == await everything(MemoryRows(log, PROJECTIONS))
        await told(log, 30)
        for runner in (first, second):
            await runner.progress.reached(90, None)
            assert await everything(rows_of(runner)) == await everything(MemoryRows(log, PROJECTIONS))

    assert await schemas(own) == [here.layout.schema]


async def test_nothing_is_lost_or_doubled_when_rebuilds_go_on_under_writers(own: Database) -> None:
    log = MemoryLog()
    here = RunningRows(log, own, PROJECTIONS)
    async with here.runner() as first, here.runner() as second:
        writing = asyncio.create_task(many(log))
        for _ in range(5):
            await rebuild(log, own, here.layout, NOTHING)
        await writing
        for runner in (first, second):
            await runner.progress.reached(log.length, None)
            assert await everything(rows_of(runner)) == await everything(MemoryRows(log, PROJECTIONS))
        assert (await compare(log, own, here.layout, NOTHING)).agrees


async def many(log: MemoryLog) -> None:
    for _ in range(40):
        await told(log, 20)
        await asyncio.sleep(0.005)  # so that they lie between the rebuilds and in the midst of them


async def test_a_row_that_was_known_is_read_anew_after_a_swap(own: Database) -> None:
    log, key = MemoryLog(), deployment_key()
    here = RunningRows(log, own, PROJECTIONS)
    async with here.runner() as runner:
        rows = rows_of(runner)
        await log.append(canceled(key), Expected.new(key))
        await rows.reached(1, PATIENT)
        await spoil(own, here, TALLIES)
        spoilt = await rows.get(TALLIES, key.id)
        assert spoilt is not None
        assert spoilt.sequence == 99

        await rebuild(log, own, here.layout, NOTHING)
        await log.append(canceled(deployment_key(key.team)), Expected("evt.none", 0))  # a process that was not told
        await rows.reached(2, PATIENT)

        right = await rows.get(TALLIES, key.id)
        assert right is not None
        assert right.sequence == 1


async def test_one_rebuild_at_a_time(own: Database) -> None:
    log = MemoryLog()
    await told(log, 10)
    here = RunningRows(log, own, PROJECTIONS)
    async with leftovers.alone(own, here.layout):
        with pytest.raises(RebuildRunningError, match="gateway are being rebuilt or compared already"):
            await rebuild(log, own, here.layout, NOTHING)
        with pytest.raises(RebuildRunningError):
            await compare(log, own, here.layout, NOTHING)
    await rebuild(log, own, here.layout, NOTHING)


async def test_a_rebuild_that_was_killed_leaves_nothing_behind_once_a_service_starts(own: Database) -> None:
    log = MemoryLog()
    await told(log, 40)
    here = RunningRows(log, own, PROJECTIONS)
    async with here.runner() as runner:
        await runner.progress.reached(40, None)

        async def killed(_done: int, _total: int) -> None:
            await own.once(lambda session: session.execute(KILL_OTHERS))

        with pytest.raises(Exception, match=r"(?i)connection|terminat"):
            await rebuild(log, own, here.layout, NOTHING, killed)
        assert any(name.startswith("rebuilt_gateway_") for name in await schemas(own))
        assert await everything(rows_of(runner)) == await everything(MemoryRows(log, PROJECTIONS))

        await runner.tidy()

        assert await schemas(own) == [here.layout.schema]
        await rebuild(log, own, here.layout, NOTHING)


KILL_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


async def test_a_rebuild_says_how_far_it_is(own: Database) -> None:
    log = MemoryLog()
    await told(log, 700)
    said: list[tuple[int, int]] = []

    async def on_progress(done: int, total: int) -> None:
        said.append((done, total))

    await rebuild(log, own, RunningRows(log, own, PROJECTIONS).layout, NOTHING, on_progress)

    assert said[-1] == (700, 700)


async def test_rows_of_another_log_are_rebuilt_from_this_one(own: Database) -> None:
    older, newer = MemoryLog(), MemoryLog()
    await told(older, 30)
    await told(newer, 10)
    async with RunningRows(older, own, PROJECTIONS).runner() as runner:
        await runner.progress.reached(30, None)
    here = RunningRows(newer, own, PROJECTIONS)
    async with here.runner() as first, here.runner() as second:
        for runner in (first, second):
            with pytest.raises(HaltedError, match="stand at sequence 30, but EVENTS ends at 10"):
                await runner.progress.reached(10, None)
        await rebuild(newer, own, here.layout, NOTHING)

        first.look_again()
        await first.progress.passed(10)
        assert await everything(rows_of(first)) == await everything(MemoryRows(newer, PROJECTIONS))
        await appended(newer, 1)
        for runner in (first, second):
            await runner.progress.passed(11)
            assert runner.progress.halted is None
            assert await everything(rows_of(runner)) == await everything(MemoryRows(newer, PROJECTIONS))


async def test_quarantined_events_are_passed_over_by_rebuilds_too(own: Database) -> None:
    log = UnreadableAtThree()
    await appended(log, 5)
    here = RunningRows(log, own, PROJECTIONS)
    await here.quarantine(3)
    async with here.running() as rows:
        await rows.reached(5, PATIENT)
        with pytest.raises(HaltedError, match=r"sequence 3 of EVENTS.*deployment\.teleported\.v1"):
            await rebuild(log, own, here.layout, NOTHING)

        await rebuild(log, own, here.layout, {3})

        assert [row.sequence for row in await rows.find(TALLIES, {})] == [5, 4, 2, 1]
        assert (await compare(log, own, here.layout, {3})).agrees


async def test_a_comparison_names_the_projection_and_the_keys_that_differ(own: Database) -> None:
    log = MemoryLog()
    await told(log, 25)
    here = RunningRows(log, own, PROJECTIONS)
    async with here.running() as rows:
        await rows.reached(25, PATIENT)
        good = await compare(log, own, here.layout, NOTHING)
        found = await rows.find(TALLIES, {})
        changed, missing = found[0].key, found[1].key
        table = here.layout.table(TALLIES)
        await own.pool.execute(
            f"""UPDATE {table} SET row = replace(row::text, '"open":true', '"open":false')::json WHERE key = $1""",  # noqa: S608
            changed,
        )
        await own.pool.execute(f"DELETE FROM {table} WHERE key = $1", missing)  # noqa: S608 - a name of ours

        bad = await compare(log, own, here.layout, NOTHING)

    assert good.agrees
    assert good.sequence == bad.sequence == 25
    assert not bad.agrees
    writers, tallies = bad.projections
    assert (writers.name, writers.differing) == (LAST_WRITERS.name, 0)
    assert (tallies.name, tallies.differing, set(tallies.keys)) == (TALLIES.name, 2, {changed, missing})
    assert tallies.digest != tallies.rebuilt_digest == good.projections[1].digest
    assert (tallies.rows, good.projections[1].rows) == (len(found) - 1, len(found))
    assert await schemas(own) == [here.layout.schema]


async def test_digests_depend_on_what_rows_say_and_not_on_how_json_is_written(own: Database) -> None:
    log = MemoryLog()
    await told(log, 5)
    here = RunningRows(log, own, (TALLIES,))
    async with here.running() as rows:
        await rows.reached(5, PATIENT)
        await own.pool.execute(
            f"""UPDATE {here.layout.table(TALLIES)} SET row = replace(row::text, ',', ' ,  ')::json"""  # noqa: S608
        )
        assert (await compare(log, own, here.layout, NOTHING)).agrees


async def test_a_rebuild_that_cannot_clean_up_keeps_nobody_from_the_next_one(
    own: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = RunningRows(MemoryLog(), own, PROJECTIONS)

    async def canceled_by_an_operator(*_: object) -> list[str]:
        raise asyncpg.QueryCanceledError

    with pytest.raises(asyncpg.QueryCanceledError):
        async with leftovers.alone(own, here.layout):
            monkeypatch.setattr(leftovers, "_drop", canceled_by_an_operator)
    monkeypatch.undo()

    async with own.pool.acquire(), leftovers.alone(own, here.layout):  # by another session than before
        pass


class UnreadableLast(MemoryLog):
    """A log whose third event is one of a later release."""

    def stored(self, sequence: int) -> StoredMessage:
        message = super().stored(sequence)
        return replace(message, headers={**message.headers, TYPE_HEADER: "x.y.v9"}) if sequence == 3 else message


async def test_an_event_that_is_passed_over_counts_for_the_sequence_of_its_row_live_and_rebuilt(own: Database) -> None:
    log, key = UnreadableLast(), deployment_key()
    for after in range(3):
        await log.append(canceled(key), Expected.at(key, after))
    here = RunningRows(log, own, PROJECTIONS)
    await here.quarantine(3)
    async with here.running() as rows:
        await rows.reached(3, PATIENT)
        found = await rows.get(TALLIES, key.id)
        assert found is not None
        assert await log.append(canceled(key), Expected.at(key, found.sequence)) == 4

        await rows.reached(4, PATIENT)
        assert (await compare(log, own, here.layout, {3})).agrees
