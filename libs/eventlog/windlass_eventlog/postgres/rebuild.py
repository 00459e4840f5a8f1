"""Rows built anew from the log beside the live ones, which go on meanwhile, and put in their place at one stroke."""

import time
from collections.abc import Container
from dataclasses import dataclass

import structlog

from windlass_eventlog.errors import GapError, RowsUnavailableError
from windlass_eventlog.log import EventLog
from windlass_eventlog.postgres import checkpoint
from windlass_eventlog.postgres.database import UNAVAILABLE, Database, Session
from windlass_eventlog.postgres.filling import Filling, OnProgress, nobody_listens
from windlass_eventlog.postgres.layout import Layout
from windlass_eventlog.postgres.leftovers import REBUILT, REPLACED, alone

_CLOSE_EVENTS = 500
"""So near to the live rows, the rest is read while those stand still for a moment."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was done: so many events up to `sequence` made so many rows, within so many seconds."""

    sequence: int
    events: int
    rows: int
    seconds: float


async def rebuild(
    log: EventLog,
    database: Database,
    layout: Layout,
    quarantined: Container[int],
    on_progress: OnProgress = nobody_listens,
) -> Rebuilt:
    """Fill a new schema from the log, and put it in the place of the live one.

    Runners on the live rows, in whichever process, notice at their next write, and go on behind the new ones; tell the
    one in this process by `look_again`, so that it forgets at once what it knew. Broken off at whatever moment, nothing
    has changed, and what is left over is dropped at the next start or rebuild.

    Raises:
        RebuildRunningError: another rebuild or comparison of the service's rows is under way.
        HaltedError: an event can neither be read nor is it on the quarantine list.
        GapError, LogUnavailableError, RowsUnavailableError: the log or the database cannot be asked.
    """
    began = time.monotonic()
    try:
        async with alone(database, layout) as session:
            await checkpoint.create(session, layout)
            filling = await Filling.begun(log, database, layout.beside(REBUILT), quarantined, on_progress)
            while (head := await log.head()) - filling.writer.position > _CLOSE_EVENTS:
                await filling.up_to(head)
            await _swap(session, layout, filling)
            await checkpoint.drop_others(session, layout)  # an operator decided of which log the rows are
            rows = await _rows(session, layout)
    except UNAVAILABLE as error:
        msg = f"PostgreSQL went away, and the rows are as they were: {str(error) or type(error).__name__}. Try again."
        raise RowsUnavailableError(msg) from error
    done = Rebuilt(filling.writer.position, filling.events, rows, time.monotonic() - began)
    _log.info("rows.rebuilt", service=layout.service, sequence=done.sequence, seconds=round(done.seconds, 1))
    return done


async def _swap(session: Session, layout: Layout, filling: Filling) -> None:
    """Let every live runner wait, fill up to where the live rows stand, and rename.

    Whoever waits for the checkpoint's table looks its name up again afterwards, and meets another generation.
    """
    async with session.transaction():
        await session.execute(f"LOCK TABLE {layout.checkpoint} IN ACCESS EXCLUSIVE MODE")
        await filling.up_to(await _wanted(session, layout, filling.log))
        await session.execute(f"ALTER SCHEMA {layout.schema} RENAME TO {layout.beside(REPLACED).schema}")
        await session.execute(f"ALTER SCHEMA {layout.beside(REBUILT).schema} RENAME TO {layout.schema}")


async def _wanted(session: Session, layout: Layout, log: EventLog) -> int:
    """Return the sequence that the new rows have to reach: the live ones', where those are of this log."""
    live = await checkpoint.stored(session, layout)
    try:
        await checkpoint.check_belongs(live, layout, log)
    except GapError:
        return await log.head()
    return live.sequence


async def _rows(session: Session, layout: Layout) -> int:
    counts = [
        await session.fetchval(f"SELECT count(*) FROM {layout.table(projection)}")  # noqa: S608 - a name of ours
        for projection in layout.projections
    ]
    return sum(counts)
