"""Rows that are not given away while they stand still: nothing may be decided or said of what is behind the log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel

from windlass_eventlog.errors import HaltedError
from windlass_eventlog.projection import PATIENCE, Projection, Rows, Versioned

RowT = TypeVar("RowT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class CurrentRows(Rows):
    """Raises HaltedError wherever rows are asked for while they stand still at an event that cannot be read."""

    rows: Rows

    async def get(self, projection: Projection[RowT], key: UUID) -> Versioned[RowT] | None:
        self._check()
        return await self.rows.get(projection, key)

    async def get_all(self, projection: Projection[RowT], keys: Iterable[UUID]) -> dict[UUID, Versioned[RowT]]:
        self._check()
        return await self.rows.get_all(projection, keys)

    async def find(
        self, projection: Projection[RowT], where: Mapping[str, object], *, limit: int | None = None
    ) -> list[Versioned[RowT]]:
        self._check()
        return await self.rows.find(projection, where, limit=limit)

    async def kept(self, projection: Projection[RowT], where: Mapping[str, object]) -> list[Versioned[RowT]]:
        self._check()
        return await self.rows.kept(projection, where)

    async def page(
        self,
        projection: Projection[RowT],
        where: Mapping[str, object],
        *,
        by: str,
        limit: int,
        below: int | None = None,
    ) -> list[Versioned[RowT]]:
        self._check()
        return await self.rows.page(projection, where, by=by, limit=limit, below=below)

    async def reached(self, sequence: int, patience: timedelta = PATIENCE) -> None:
        await self.rows.reached(sequence, patience)

    @property
    def position(self) -> int:
        return self.rows.position

    @property
    def halted(self) -> HaltedError | None:
        return self.rows.halted

    def _check(self) -> None:
        if self.rows.halted is not None:
            raise self.rows.halted
