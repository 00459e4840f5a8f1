"""A batch of events written as rows, together with the checkpoint, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from asyncpg import Record

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_eventlog.folding import AnyProjection, AnyRow, fold, indexed, touched_keys
from windlass_eventlog.postgres.database import Session
from windlass_eventlog.postgres.layout import Layout, column, looked_up
from windlass_eventlog.projection import Versioned


class FenceError(Exception):
    """Somebody else moved the checkpoint, or the database went back: what was read before is void."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in order, without gap, that begin behind the checkpoint, and the keys of the rows that they touch."""

    layout: Layout
    checkpoint: int
    events: Sequence[Recorded[Event]]
    touched: Mapping[str, set[UUID]]

    @classmethod
    def of(cls, layout: Layout, checkpoint: int, events: Sequence[Recorded[Event]]) -> Self:
        keys = {projection.name: touched_keys(projection, events) for projection in layout.projections}
        return cls(layout, checkpoint, events, {name: touched for name, touched in keys.items() if touched})

    @property
    def end(self) -> int:
        return self.events[-1].sequence

    async def write(self, session: Session) -> None:
        """Fold and store everything, or nothing.

        Raises:
            FenceError: the checkpoint is not where it was.
        """
        async with session.transaction():
            await self._move_checkpoint(session)
            for projection in self.layout.projections:
                if projection.name in self.touched:
                    await self._fold(session, projection)

    async def _move_checkpoint(self, session: Session) -> None:
        """Move it first: its row lock lets a second writer wait here, and fail, before it reads a single row."""
        statement = f"UPDATE {self.layout.checkpoint} SET sequence = $1 WHERE sequence = $2"  # noqa: S608
        if await session.execute(statement, self.end, self.checkpoint) != "UPDATE 1":
            raise FenceError

    async def _fold(self, session: Session, projection: AnyProjection) -> None:
        before = await self._rows(session, projection)
        after = fold(projection, before, self.events)
        await self._store(session, projection, [row for row in after.values() if row is not None])
        await self._remove(session, projection, [key for key, row in after.items() if row is None and key in before])

    async def _rows(self, session: Session, projection: AnyProjection) -> Mapping[UUID, AnyRow]:
        statement = f"SELECT key, sequence, row FROM {self.layout.table(projection)} WHERE key = ANY($1)"  # noqa: S608
        found = await session.fetch(statement, list(self.touched[projection.name]))
        return {record["key"]: versioned(projection, record) for record in found}

    async def _store(self, session: Session, projection: AnyProjection, rows: Sequence[AnyRow]) -> None:
        if not rows:
            return
        columns = looked_up(projection)
        names = ["sequence", "row", *map(column, columns)]
        types = ["uuid", "bigint", "json", *columns.values()]
        places = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(types, 1))
        statement = (
            f"INSERT INTO {self.layout.table(projection)} (key, {', '.join(names)}) SELECT * FROM unnest({places})"  # noqa: S608
            f" ON CONFLICT (key) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in names)}"
        )
        keys, sequences = [row.key for row in rows], [row.sequence for row in rows]
        indexes = [[indexed(row.row, name) for row in rows] for name in projection.indexes]
        numbers = [[getattr(row.row, name) for row in rows] for name in projection.ordered]
        texts = [row.row.model_dump_json() for row in rows]
        await session.execute(statement, keys, sequences, texts, *indexes, *numbers)

    async def _remove(self, session: Session, projection: AnyProjection, keys: Sequence[UUID]) -> None:
        if keys:
            await session.execute(f"DELETE FROM {self.layout.table(projection)} WHERE key = ANY($1)", keys)  # noqa: S608


def versioned(projection: AnyProjection, record: Record) -> AnyRow:
    """Return what a record of a projection's table holds."""
    return Versioned(record["key"], projection.row.model_validate_json(record["row"]), record["sequence"])
