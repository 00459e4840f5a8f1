"""Folds events into rows, and writes the rows together with the checkpoint: all of them or nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from windlass_eventlog.failpoints import reach
from windlass_eventlog.folding import AnyProjection, AnyRow, indexed
from windlass_eventlog.postgres import checkpoint
from windlass_eventlog.postgres.checkpoint import Checkpoint
from windlass_eventlog.postgres.database import Database, Session
from windlass_eventlog.postgres.kept_lists import Written
from windlass_eventlog.postgres.layout import Layout, column, looked_up
from windlass_eventlog.postgres.reading import Reading, Stop
from windlass_eventlog.postgres.stored_rows import rows_of
from windlass_eventlog.postgres.working_rows import Touch, WorkingRows

_WITHOUT_A_BREAK = 200
"""Events that are folded without letting anybody else have a turn: a few milliseconds."""


@dataclass(slots=True)
class RowWriter:
    """Rows between two checkpoints: the one in the database and `position`, up to which events were folded."""

    database: Database
    layout: Layout
    before: Checkpoint
    position: int = field(init=False)
    rows: WorkingRows = field(init=False)

    def __post_init__(self) -> None:
        self.position = self.before.sequence
        self.rows = WorkingRows(self.layout.projections)

    @classmethod
    async def opened(cls, database: Database, layout: Layout) -> Self:
        """Begin where the rows stand."""
        return cls(database, layout, await database.ask(lambda session: checkpoint.stored(session, layout)))

    async def fold(self, reading: Reading) -> Stop | None:
        """Fold what was read behind `position`, and return why it cannot go on, if it cannot.

        Raises:
            UNAVAILABLE: PostgreSQL is away, and nothing was folded.
        """
        touches, passes = self.rows.touches(reading.events), self.rows.passes(reading.passed)
        if self.rows.missing():
            await self.database.once(self._load)
        stop = await self._fold(touches)
        self.position = reading.end if stop is None else stop.sequence - 1
        for passing in passes:
            if passing[-1] <= self.position:  # a row that was made behind it stands there already
                self.rows.move(passing)
        return stop or reading.stop

    async def _fold(self, touches: Sequence[Touch]) -> Stop | None:
        for number, touch in enumerate(touches):
            if number % _WITHOUT_A_BREAK == _WITHOUT_A_BREAK - 1:
                await asyncio.sleep(0)
            try:
                self.rows.fold(touch)
            except Exception as error:  # noqa: BLE001 - whatever a projection raises, this event is to blame
                event, _ = touch
                return Stop(event.sequence, event.event.TYPE, error)
        return None

    async def write(self) -> Written:
        """Write what was folded, and return it.

        Raises:
            FenceError: somebody else wrote: this writer is of no use any more.
        """
        written = self.rows.changed()
        await self.database.once(self._write)
        reach("after_commit", "rows", self.position)
        self.before = self.before.at(self.position)
        self.rows.written()
        return written

    @property
    def unwritten_rows(self) -> int:
        return self.rows.unwritten

    @property
    def unwritten_events(self) -> int:
        return self.position - self.before.sequence

    async def _load(self, session: Session) -> None:
        for projection, keys in self.rows.missing():
            self.rows.learn(projection, await rows_of(session, self.layout, projection, keys))

    async def _write(self, session: Session) -> None:
        async with session.transaction():
            await checkpoint.move(session, self.layout, self.before, self.position)
            changes = self.rows.changes()
            await self._store(session, [(projection, rows) for projection, rows, _ in changes if rows])
            for projection, _, gone in changes:
                await self._remove(session, projection, gone)
            reach("before_commit", "rows", self.position)

    async def _store(self, session: Session, changes: Sequence[tuple[AnyProjection, Sequence[AnyRow]]]) -> None:
        """Write all rows by one statement: at the head of the log most of a write is the way there and back."""
        parts: list[str] = []
        values: list[Sequence[object]] = []
        for projection, rows in changes:
            parts.append(f"part_{len(parts)} AS ({self._insertion(projection, first=len(values) + 1)})")
            values += _columns(projection, rows)
        if parts:
            await session.execute(f"WITH {', '.join(parts)} SELECT 1", *values)

    def _insertion(self, projection: AnyProjection, *, first: int) -> str:
        """Return SQL that takes `_columns` in its parameters, numbered from `first`."""
        columns = looked_up(projection)
        names = ["sequence", "row", *map(column, columns)]
        types = ["uuid", "bigint", "json", *columns.values()]
        places = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(types, first))
        return (
            f"INSERT INTO {self.layout.table(projection)} (key, {', '.join(names)}) SELECT * FROM unnest({places})"  # noqa: S608
            f" ON CONFLICT (key) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in names)}"
        )

    async def _remove(self, session: Session, projection: AnyProjection, keys: Sequence[UUID]) -> None:
        if keys:
            await session.execute(f"DELETE FROM {self.layout.table(projection)} WHERE key = ANY($1)", keys)  # noqa: S608


def _columns(projection: AnyProjection, rows: Sequence[AnyRow]) -> list[Sequence[object]]:
    """Return keys, sequences, rows, and the fields by which they are looked up and listed."""
    return [
        [row.key for row in rows],
        [row.sequence for row in rows],
        [row.row.model_dump_json() for row in rows],
        *([indexed(row.row, name) for row in rows] for name in projection.indexes),
        *([getattr(row.row, name) for row in rows] for name in projection.ordered),
    ]
