"""Rows in memory: folded from a log in memory whenever somebody looks."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel

from windlass_contracts.errors import ContractError
from windlass_eventlog.errors import HaltedError, NotReachedError
from windlass_eventlog.folding import AnyProjection, AnyRow, conditions, fold, ordering
from windlass_eventlog.memory.log import MemoryLog
from windlass_eventlog.projection import PATIENCE, Projection, Rows, Versioned

RowT = TypeVar("RowT", bound=BaseModel)


@dataclass(slots=True)
class MemoryRows(Rows):
    """The rows of some projections, always as far as the log is, unless `stay_at` holds them back."""

    log: MemoryLog
    projections: Sequence[AnyProjection]
    service: str = "memory"
    _rows: dict[str, dict[UUID, AnyRow]] = field(default_factory=dict)
    _position: int = 0
    _limit: int | None = None
    _released: asyncio.Event = field(default_factory=asyncio.Event)
    _halted: HaltedError | None = None

    def stay_at(self, sequence: int | None) -> None:
        """Hold the rows back at a sequence, as a slow reader would; None lets them go on."""
        self._limit = sequence
        self._released.set()
        self._released = asyncio.Event()

    async def get(self, projection: Projection[RowT], key: UUID) -> Versioned[RowT] | None:
        self._catch_up()
        return self._of(projection).get(key)

    async def get_all(self, projection: Projection[RowT], keys: Iterable[UUID]) -> dict[UUID, Versioned[RowT]]:
        self._catch_up()
        rows = self._of(projection)
        return {key: rows[key] for key in keys if key in rows}

    async def find(
        self, projection: Projection[RowT], where: Mapping[str, object], *, limit: int | None = None
    ) -> list[Versioned[RowT]]:
        found = self._matching(projection, where)
        return sorted(found, key=lambda row: (-row.sequence, row.key))[:limit]

    async def kept(self, projection: Projection[RowT], where: Mapping[str, object]) -> list[Versioned[RowT]]:
        return await self.find(projection, where)

    async def page(
        self,
        projection: Projection[RowT],
        where: Mapping[str, object],
        *,
        by: str,
        limit: int,
        below: int | None = None,
    ) -> list[Versioned[RowT]]:
        name = ordering(projection, by)
        numbered = [(getattr(row.row, name), row) for row in self._matching(projection, where)]
        page = [(number, row) for number, row in numbered if below is None or number < below]
        return [row for _, row in sorted(page, key=lambda pair: (-pair[0], pair[1].key))[:limit]]

    async def reached(self, sequence: int, patience: timedelta = PATIENCE) -> None:
        try:
            async with asyncio.timeout(patience.total_seconds()):
                while self.position < sequence:
                    if self._halted is not None:
                        raise self._halted
                    await self._may_have_grown()
        except TimeoutError:
            msg = f"The rows stand at {self._position} and did not reach {sequence} within {patience}."
            raise NotReachedError(msg) from None

    @property
    def position(self) -> int:
        self._catch_up()
        return self._position

    @property
    def halted(self) -> HaltedError | None:
        self._catch_up()
        return self._halted

    async def _may_have_grown(self) -> None:
        if self._limit is not None and self._position >= self._limit:
            await self._released.wait()
        else:
            await self.log.grown_past(self._position)

    def _of(self, projection: Projection[RowT]) -> dict[UUID, Versioned[RowT]]:
        if projection not in self.projections:
            msg = f"the projection {projection.name} is not among those of this service"
            raise LookupError(msg)
        return self._rows.setdefault(projection.name, {})

    def _matching(self, projection: Projection[RowT], where: Mapping[str, object]) -> list[Versioned[RowT]]:
        self._catch_up()
        wanted = conditions(projection, where)
        return [row for row in self._of(projection).values() if all(one.holds(row.row) for one in wanted)]

    def _catch_up(self) -> None:
        end = self.log.length if self._limit is None else min(self.log.length, self._limit)
        while self._position < end and self._halted is None:
            self._apply(self._position + 1)

    def _apply(self, sequence: int) -> None:
        try:
            event = self.log.at(sequence)
        except ContractError as error:
            self._halted = HaltedError(self.service, sequence, error)
            return
        for projection in self.projections:
            rows = self._rows.setdefault(projection.name, {})
            for key, row in fold(projection, rows, [event]).items():
                if row is None:
                    rows.pop(key, None)
                else:
                    rows[key] = row
        self._position = sequence
