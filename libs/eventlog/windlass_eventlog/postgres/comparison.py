"""Whether the live rows are what the log says: rebuilt in a scratch schema up to the same sequence, and compared.

The digest of a projection does not depend on the order of its rows, nor on how JSON is written: it is the sum, modulo
2^128, of a hash of each key, sequence and row in canonical JSON. Two databases at one checkpoint have the same.
"""

import hashlib
import json
from collections.abc import Container
from dataclasses import dataclass, field
from uuid import UUID

from windlass_eventlog.errors import RowsUnavailableError
from windlass_eventlog.folding import AnyProjection
from windlass_eventlog.log import EventLog
from windlass_eventlog.postgres import checkpoint
from windlass_eventlog.postgres.database import UNAVAILABLE, Database, Session
from windlass_eventlog.postgres.filling import Filling, OnProgress, nobody_listens
from windlass_eventlog.postgres.layout import Layout
from windlass_eventlog.postgres.leftovers import SCRATCH, alone

MOST_NAMED = 100
"""Differing keys that are named for each projection; all are counted."""

_MODULUS = 2**128


@dataclass(frozen=True, slots=True)
class ComparedProjection:
    """One projection: how many rows, which digests, and the keys whose rows differ, are missing, or are too many."""

    name: str
    rows: int
    digest: str
    rebuilt_digest: str
    differing: int
    keys: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All projections of a service, at one sequence."""

    sequence: int
    projections: tuple[ComparedProjection, ...]

    @property
    def agrees(self) -> bool:
        return not any(one.differing for one in self.projections)


async def compare(
    log: EventLog,
    database: Database,
    layout: Layout,
    quarantined: Container[int],
    on_progress: OnProgress = nobody_listens,
) -> Comparison:
    """Compare the live rows, as they are when this begins, with rows built anew. Nothing live is changed or waits.

    Raises:
        RebuildRunningError, HaltedError, GapError, LogUnavailableError, RowsUnavailableError: as `rebuild`.
    """
    scratch = layout.beside(SCRATCH)
    try:
        async with alone(database, layout) as session:
            filling = await Filling.begun(log, database, scratch, quarantined, on_progress)
            live = await _copied(session, layout, scratch)
            await checkpoint.check_belongs(live, layout, log)
            await filling.up_to(live.sequence)
            compared = [await _compared(session, scratch, projection) for projection in layout.projections]
    except UNAVAILABLE as error:
        msg = f"PostgreSQL went away: {str(error) or type(error).__name__}. Nothing was changed; try again."
        raise RowsUnavailableError(msg) from error
    return Comparison(live.sequence, tuple(compared))


def _live(scratch: Layout, projection: AnyProjection) -> str:
    return f'{scratch.schema}."live_{projection.name}"'


async def _copied(session: Session, layout: Layout, scratch: Layout) -> checkpoint.Checkpoint:
    """Copy the live rows as they stand at one checkpoint, and return that."""
    async with session.transaction(isolation="repeatable_read"):
        live = await checkpoint.stored(session, layout)
        for projection in layout.projections:
            await session.execute(
                f"CREATE TABLE {_live(scratch, projection)} AS"  # noqa: S608 - names of ours
                f" SELECT key, sequence, row FROM {layout.table(projection)}"
            )
    return live


@dataclass(slots=True)
class _Tally:
    """What was seen of one projection so far."""

    name: str
    rows: int = 0
    digest: int = 0
    rebuilt_digest: int = 0
    differing: int = 0
    keys: list[UUID] = field(default_factory=list)

    def take(self, key: UUID, live: tuple[int, str] | None, rebuilt: tuple[int, str] | None) -> None:
        ours = _hash(key, live)
        theirs = ours if live == rebuilt else _hash(key, rebuilt)
        self.rows += live is not None
        self.digest += ours
        self.rebuilt_digest += theirs
        if ours != theirs:
            self.differing += 1
            if len(self.keys) < MOST_NAMED:
                self.keys.append(key)

    def result(self) -> ComparedProjection:
        digest, rebuilt = _shown(self.digest), _shown(self.rebuilt_digest)
        return ComparedProjection(self.name, self.rows, digest, rebuilt, self.differing, tuple(self.keys))


async def _compared(session: Session, scratch: Layout, projection: AnyProjection) -> ComparedProjection:
    tally = _Tally(projection.name)
    statement = (
        "SELECT key, live.sequence AS live_at, live.row AS live, rebuilt.sequence AS rebuilt_at, rebuilt.row AS rebuilt"  # noqa: S608
        f" FROM {_live(scratch, projection)} live FULL JOIN {scratch.table(projection)} rebuilt USING (key)"
    )
    async with session.transaction():
        async for found in session.cursor(statement, prefetch=500):
            live = None if found["live_at"] is None else (found["live_at"], found["live"])
            rebuilt = None if found["rebuilt_at"] is None else (found["rebuilt_at"], found["rebuilt"])
            tally.take(found["key"], live, rebuilt)
    return tally.result()


def _shown(digest: int) -> str:
    return f"{digest % _MODULUS:032x}"


def _hash(key: UUID, row: tuple[int, str] | None) -> int:
    """Return a number for a row that stands at a sequence; 0 where there is none."""
    if row is None:
        return 0
    sequence, text = row
    canonical = json.dumps([str(key), sequence, json.loads(text)], sort_keys=True, separators=(",", ":"))
    return int.from_bytes(hashlib.blake2b(canonical.encode("utf-8", "surrogatepass"), digest_size=16).digest())
