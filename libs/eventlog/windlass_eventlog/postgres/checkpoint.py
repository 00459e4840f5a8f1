"""The schema of the rows, and the sequence up to which they hold what the log says."""

from windlass_eventlog.postgres.database import Session
from windlass_eventlog.postgres.layout import Layout

_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('windlass rows'))"


async def create(session: Session, layout: Layout) -> None:
    """Make the schema where it does not exist yet."""
    async with session.transaction():
        await session.execute(_ONE_AT_A_TIME)
        for statement in layout.creation():
            await session.execute(statement)


async def stored(session: Session, layout: Layout) -> int:
    """Return the checkpoint."""
    return int(await session.fetchval(f"SELECT sequence FROM {layout.checkpoint}"))  # noqa: S608 - a name of ours


async def drop_others(session: Session, layout: Layout) -> list[str]:
    """Drop what other releases kept for this service, and return the names of their schemas."""
    async with session.transaction():
        await session.execute(_ONE_AT_A_TIME)
        found = await session.fetch("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, $1)", layout.prefix)
        others = [record["nspname"] for record in found if record["nspname"] != layout.schema]
        for name in others:
            await session.execute(f'DROP SCHEMA "{name}" CASCADE')
    return others
