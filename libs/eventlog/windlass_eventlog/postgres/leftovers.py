"""Schemas beside the live one: made by one rebuild or comparison at a time, dropped when it is done or broke off."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from windlass_eventlog.errors import RebuildRunningError
from windlass_eventlog.postgres import checkpoint
from windlass_eventlog.postgres.database import Database, Session
from windlass_eventlog.postgres.layout import Layout

REBUILT = "rebuilt"
REPLACED = "replaced"
SCRATCH = "scratch"


def _lock(layout: Layout) -> str:
    return f"hashtext('windlass rebuild {layout.service}')"


@asynccontextmanager
async def alone(database: Database, layout: Layout) -> AsyncIterator[Session]:
    """Be the only one who makes schemas beside a service's rows; what others left is dropped first, ours last.

    Yields the session that holds the lock: it goes with the connection, however this process ends.

    Raises:
        RebuildRunningError: another process, or another part of this one, is at it.
    """
    async with database.pool.acquire() as session:
        if not await session.fetchval(f"SELECT pg_try_advisory_lock({_lock(layout)})"):
            raise RebuildRunningError(layout.service)
        try:
            await _drop(session, layout)
            yield session
        finally:
            if not session.is_closed():
                try:
                    await _drop(session, layout)
                finally:  # the pool would hand the session on, and the lock with it
                    await session.execute(f"SELECT pg_advisory_unlock({_lock(layout)})")


async def drop_all(session: Session, layout: Layout) -> list[str]:
    """Drop other releases' rows, and what a broken rebuild left, unless one is running; return the schemas' names."""
    async with session.transaction():
        dropped = await checkpoint.drop_others(session, layout)
        if await session.fetchval(f"SELECT pg_try_advisory_xact_lock({_lock(layout)})"):
            dropped += await _drop(session, layout)
    return dropped


async def _drop(session: Session, layout: Layout) -> list[str]:
    dropped = []
    for purpose in (REBUILT, REPLACED, SCRATCH):
        dropped += await checkpoint.drop_schemas(session, layout.beside(purpose).prefix)
    return dropped
