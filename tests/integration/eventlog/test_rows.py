"""Rows in PostgreSQL: the contract, and that neither batches nor crashes nor rivals change what they say."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.eventlog_samples import (
    LAST_WRITERS,
    PATIENT,
    TALLIES,
    LastWriter,
    Tally,
    canceled,
    deployment_key,
    superseded,
)
from support.rows_contract import PROJECTIONS, Opened, RowsContract, appended
from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.subjects import Service
from windlass_eventlog.background import background
from windlass_eventlog.errors import HaltedError
from windlass_eventlog.folding import AnyProjection
from windlass_eventlog.log import Expected
from windlass_eventlog.memory import MemoryKeyValue, MemoryLog, MemoryRows
from windlass_eventlog.postgres import checkpoint
from windlass_eventlog.postgres.checkpoint import FenceError
from windlass_eventlog.postgres.database import Database, database
from windlass_eventlog.postgres.layout import Layout
from windlass_eventlog.postgres.projection_runner import ProjectionRunner
from windlass_eventlog.postgres.reading import Reading
from windlass_eventlog.postgres.rebuild import rebuild
from windlass_eventlog.postgres.row_cache import RowCache
from windlass_eventlog.postgres.row_writer import RowWriter
from windlass_eventlog.postgres.rows import PostgresRows
from windlass_eventlog.progress import Progress
from windlass_eventlog.projection import Projection, Rows, Versioned
from windlass_eventlog.quarantine import Quarantine


def runner_on(log: MemoryLog, own: Database, projections: Sequence[AnyProjection]) -> ProjectionRunner:
    quarantine = Quarantine(MemoryKeyValue(), Service.GATEWAY)
    return ProjectionRunner(log, own, Layout.of(Service.GATEWAY, projections), Progress(), RowCache(), quarantine)


@asynccontextmanager
async def running(log: MemoryLog, own: Database, projections: Sequence[AnyProjection]) -> AsyncIterator[PostgresRows]:
    """Prepare and run a projection runner; give its rows."""
    runner = runner_on(log, own, projections)
    await runner.prepare()
    async with background(runner.run()):
        yield PostgresRows(own, runner.layout, runner.progress, runner.cache)


@pytest.fixture
async def own(database_url: str) -> AsyncIterator[Database]:
    async with database(database_url, "test") as opened:
        yield opened


class TestPostgresRows(RowsContract):
    @pytest.fixture
    def opened(self, own: Database) -> Opened:
        return lambda log, projections: running(log, own, projections)


async def everything(rows: Rows) -> tuple[list[Versioned[Tally]], list[Versioned[LastWriter]]]:
    return await rows.find(TALLIES, {}), await rows.find(LAST_WRITERS, {})


EVENTS = st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=40)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS, cuts=st.sets(st.integers(1, 39)))
async def test_any_batching_of_the_same_events_gives_the_same_rows(
    own: Database, events: list[tuple[int, bool]], cuts: set[int]
) -> None:
    log, recorded = await told(events)
    layout = replace(Layout.of(Service.GATEWAY, PROJECTIONS), digest=secrets.token_hex(8))
    await own.once(lambda session: checkpoint.create(session, layout))

    writer = await RowWriter.opened(own, layout)
    for end in [*sorted(cut for cut in cuts if cut < len(recorded)), len(recorded)]:
        late = await RowWriter.opened(own, layout)
        rest = Reading(recorded[writer.position : end], end)
        await late.fold(rest)
        await writer.fold(rest)
        await writer.write()
        with pytest.raises(FenceError):  # a rival that is late with the same events changes nothing
            await late.write()
        if end % 2:  # what a writer remembers is what another one reads
            writer = await RowWriter.opened(own, layout)

    in_postgres = PostgresRows(own, layout, Progress(len(recorded)), RowCache())
    assert await everything(in_postgres) == await everything(MemoryRows(log, PROJECTIONS))
    assert (await own.once(lambda session: checkpoint.stored(session, layout))).sequence == len(recorded)


async def told(events: list[tuple[int, bool]]) -> tuple[MemoryLog, list[Recorded[Event]]]:
    """Append events about four deployments of two teams: which one, and whether it is superseded."""
    log, teams = MemoryLog(), [deployment_key().team, deployment_key().team]
    keys = [deployment_key(teams[number % 2]) for number in range(4)]
    last = dict.fromkeys(keys, 0)
    for number, superseding in events:
        key = keys[number]
        proposed = superseded(key) if superseding else canceled(key)
        last[key] = await log.append(proposed, Expected.at(key, last[key]))
    return log, [log.at(sequence) for sequence in range(1, log.length + 1)]


async def test_a_runner_goes_on_where_the_last_one_was_stopped(own: Database) -> None:
    log = MemoryLog()
    for stop_at in (10, 25, 60):
        await appended(log, stop_at - log.length)
        async with running(log, own, PROJECTIONS) as rows:
            await rows.reached(stop_at, PATIENT)
            assert await everything(rows) == await everything(MemoryRows(log, PROJECTIONS))


async def test_two_runners_on_one_database_do_each_event_once(own: Database) -> None:
    log = MemoryLog()
    async with running(log, own, PROJECTIONS) as first, running(log, own, PROJECTIONS) as second:
        for _ in range(40):
            await appended(log, 5)
            await asyncio.gather(first.reached(log.length), second.reached(log.length))

        expected = await everything(MemoryRows(log, PROJECTIONS))
        assert await everything(first) == expected
        assert await everything(second) == expected


async def test_rows_come_back_when_postgresql_crashes_under_them(own: Database) -> None:
    log = MemoryLog()
    async with running(log, own, PROJECTIONS) as rows:
        await appended(log, 5)
        await rows.reached(5, PATIENT)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
            await own.once(
                lambda session: session.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                )
            )
        await appended(log, 5)
        await rows.reached(10, PATIENT)

        assert await everything(rows) == await everything(MemoryRows(log, PROJECTIONS))


async def test_a_database_that_went_back_is_filled_again(own: Database) -> None:
    log = MemoryLog()
    async with running(log, own, PROJECTIONS) as rows:
        await appended(log, 5)
        await rows.reached(5, PATIENT)
        layout = Layout.of(Service.GATEWAY, PROJECTIONS)
        async with own.pool.acquire() as session, session.transaction():
            await session.execute(f"UPDATE {layout.checkpoint} SET sequence = 0")  # noqa: S608 - a name of ours
            for projection in PROJECTIONS:
                await session.execute(f"DELETE FROM {layout.table(projection)}")  # noqa: S608 - a name of ours
        await appended(log, 1)
        await rows.reached(6, PATIENT)

        assert await everything(rows) == await everything(MemoryRows(log, PROJECTIONS))


async def test_a_row_of_another_shape_is_built_anew_beside_the_old_one(own: Database) -> None:
    log = MemoryLog()
    await appended(log, 3)
    newer = replace(TALLIES, version=2)
    async with running(log, own, [TALLIES]) as rows:
        await rows.reached(3, PATIENT)
        runner = runner_on(log, own, [newer])
        await runner.prepare()
        async with background(runner.run()):
            await runner.progress.reached(3, None)
            assert len(await rows.find(TALLIES, {})) == 3, "the old rows stay until the new ones are complete"
            await runner.tidy()

    schemas = await own.pool.fetch("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rows\\_%'")
    assert [record["nspname"] for record in schemas] == [runner.layout.schema]


async def test_rows_that_are_ahead_of_the_log_are_refused_with_the_way_out(own: Database) -> None:
    log = MemoryLog()
    await appended(log, 3)
    async with running(log, own, PROJECTIONS) as rows:
        await rows.reached(3, PATIENT)

    async with running(MemoryLog(), own, PROJECTIONS) as rows:
        with pytest.raises(HaltedError, match=r"stand at sequence 3, but EVENTS ends at 0") as halted:
            await rows.reached(1, PATIENT)
        assert rows.position == 0
    assert "windlass rebuild gateway" in halted.value.way_out


async def test_an_empty_log_in_the_place_of_another_is_never_reached(own: Database) -> None:
    log = MemoryLog()
    await appended(log, 3)
    async with running(log, own, PROJECTIONS) as rows:
        await rows.reached(3, PATIENT)

    async with running(MemoryLog(), own, PROJECTIONS) as rows:
        with pytest.raises(HaltedError, match=r"stand at sequence 3, but EVENTS ends at 0"):
            await rows.reached(0, PATIENT)


async def test_rows_of_another_shape_are_not_made_of_another_log_than_those_before(own: Database) -> None:
    log, empty = MemoryLog(), MemoryLog()
    await appended(log, 3)
    async with running(log, own, [TALLIES]) as rows:
        await rows.reached(3, PATIENT)
    newer = [replace(TALLIES, version=2)]

    async with running(empty, own, newer) as rows:
        with pytest.raises(HaltedError, match=r"stand at sequence 3, but EVENTS ends at 0") as halted:
            await rows.reached(0, PATIENT)
        assert halted.value.sequence == 3

    await rebuild(empty, own, Layout.of(Service.GATEWAY, newer), frozenset())
    async with running(empty, own, newer) as rows:
        await rows.reached(0, PATIENT)


def broken(_row: object, recorded: Recorded[Event]) -> None:
    if recorded.sequence == 4:
        raise ArithmeticError("four is too much")


BROKEN = Projection(name="broken", version=1, row=TALLIES.row, key=TALLIES.key, evolve=broken)


async def test_an_event_that_cannot_be_applied_halts_the_rows_right_before_it(own: Database) -> None:
    log = MemoryLog()
    await appended(log, 6)
    async with running(log, own, [TALLIES, BROKEN]) as rows:
        await rows.reached(3, PATIENT)
        with pytest.raises(HaltedError, match=r"sequence 4 of EVENTS.*four is too much") as halted:
            await rows.reached(4, PATIENT)

        assert "windlass quarantine gateway 4" in halted.value.way_out
        assert rows.position == 3
        assert len(await rows.find(TALLIES, {})) == 3
