"""The schema of the rows, and the sequence up to which they hold what the log says."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from uuid import UUID

from asyncpg import Record, UndefinedTableError

from windlass_contracts.subjects import STREAM
from windlass_eventlog.errors import GapError, NotProvisionedError
from windlass_eventlog.log import EventLog
from windlass_eventlog.postgres.database import Session
from windlass_eventlog.postgres.layout import Layout

_FORMER = (
    "SELECT table_schema::text AS name FROM information_schema.columns WHERE table_name = 'checkpoint'"
    " AND column_name = 'stream_created' AND starts_with(table_schema::text, $1) AND table_schema::text <> $2"
)
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('windlass rows'))"


class FenceError(Exception):
    """Somebody else moved the checkpoint, or the database went back: what was read before is void."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far the rows are, in which stream, and which filling of the schema they belong to.

    Rows that were rebuilt and swapped in are another generation, also where they stand at the same sequence.
    """

    sequence: int
    generation: UUID
    stream_created: datetime | None

    @classmethod
    def of(cls, record: Record) -> Self:
        return cls(record["sequence"], record["generation"], record["stream_created"])

    def at(self, sequence: int) -> Self:
        return replace(self, sequence=sequence)


async def create(session: Session, layout: Layout) -> None:
    """Make the schema where it does not exist yet."""
    async with session.transaction():
        await session.execute(_ONE_AT_A_TIME)
        for statement in layout.creation():
            await session.execute(statement)


async def stored(session: Session, layout: Layout) -> Checkpoint:
    """Return the checkpoint.

    Raises:
        NotProvisionedError: the schema is gone.
    """
    columns = "sequence, generation, stream_created"
    try:
        found = await session.fetch(f"SELECT {columns} FROM {layout.checkpoint}")  # noqa: S608 - a name of ours
    except UndefinedTableError as error:
        msg = f"The rows in {layout.schema} are gone: most likely a newer release of the {layout.service} runs already."
        raise NotProvisionedError(msg) from error
    return Checkpoint.of(found[0])


async def move(session: Session, layout: Layout, before: Checkpoint, sequence: int) -> None:
    """Move the checkpoint, first of all in a transaction.

    Its row lock lets a second writer wait here, and fail, before it writes a single row.

    Raises:
        FenceError: the checkpoint is not where it was.
    """
    statement = f"UPDATE {layout.checkpoint} SET sequence = $1 WHERE sequence = $2 AND generation = $3"  # noqa: S608
    if await session.execute(statement, sequence, before.sequence, before.generation) != "UPDATE 1":
        raise FenceError


async def bind(session: Session, layout: Layout, created: datetime) -> None:
    """Remember of which stream the rows are, once and for all."""
    await session.execute(
        f"UPDATE {layout.checkpoint} SET stream_created = $1 WHERE stream_created IS NULL OR sequence = 0",  # noqa: S608
        created,
    )


async def check_belongs(checkpoint: Checkpoint, layout: Layout, log: EventLog) -> None:
    """Make sure that the rows are those of this log.

    Raises:
        GapError: they are ahead of it, or another stream's.
    """
    if checkpoint.sequence == 0:
        return
    created, head = await log.created(), await log.head()
    if checkpoint.stream_created not in {None, created}:
        msg = (
            f"The rows of the {layout.service} stand at sequence {checkpoint.sequence} of the {STREAM} that was made at"
            f" {checkpoint.stream_created}, but this one was made at {created}: it was deleted and made anew, or is"
            " another installation's."
        )
        raise GapError(msg)
    if checkpoint.sequence > head:
        msg = (
            f"The rows of the {layout.service} stand at sequence {checkpoint.sequence}, but {STREAM} ends at {head}: it"
            " was restored from an older backup, or is another installation's."
        )
        raise GapError(msg)


async def former(session: Session, layout: Layout) -> Checkpoint | None:
    """Return how far the rows of other releases are, of those the furthest; they are there until ours caught up.

    Rows that begin anew know no log: without this, an empty one would be taken for the one that these were made of.
    """
    found = await session.fetch(_FORMER, layout.prefix, layout.schema)
    others: list[Checkpoint] = []
    for record in found:
        statement = f'SELECT sequence, generation, stream_created FROM "{record["name"]}".checkpoint'  # noqa: S608
        with suppress(UndefinedTableError):  # another process dropped them just now: its own have caught up
            others += map(Checkpoint.of, await session.fetch(statement))
    return max(others, key=lambda one: one.sequence, default=None)


async def drop_others(session: Session, layout: Layout) -> list[str]:
    """Drop what other releases kept for this service, and return the names of their schemas."""
    async with session.transaction():
        await session.execute(_ONE_AT_A_TIME)
        return await drop_schemas(session, layout.prefix, kept=layout.schema)


async def drop_schemas(session: Session, prefix: str, kept: str = "") -> list[str]:
    """Drop the schemas whose names begin like this, and return their names."""
    found = await session.fetch("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, $1)", prefix)
    dropped = [record["nspname"] for record in found if record["nspname"] != kept]
    for name in dropped:
        await session.execute(f'DROP SCHEMA "{name}" CASCADE')
    return dropped
