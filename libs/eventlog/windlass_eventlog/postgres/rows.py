"""Rows of projections in PostgreSQL."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

from asyncpg import Record
from pydantic import BaseModel

from windlass_eventlog.errors import HaltedError
from windlass_eventlog.folding import Condition, conditions, ordering
from windlass_eventlog.postgres.database import Database
from windlass_eventlog.postgres.layout import Layout, column
from windlass_eventlog.postgres.row_cache import ParsedRows, RowCache
from windlass_eventlog.postgres.stored_rows import rows_of, versioned
from windlass_eventlog.progress import Progress
from windlass_eventlog.projection import PATIENCE, Projection, Rows, Versioned

RowT = TypeVar("RowT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class PostgresRows(Rows):
    """What the projection runner wrote. Raises RowsUnavailableError where PostgreSQL stays away."""

    database: Database
    layout: Layout
    progress: Progress
    cache: RowCache

    async def get(self, projection: Projection[RowT], key: UUID) -> Versioned[RowT] | None:
        return (await self.get_all(projection, (key,))).get(key)

    async def get_all(self, projection: Projection[RowT], keys: Iterable[UUID]) -> dict[UUID, Versioned[RowT]]:
        self.layout.table(projection)  # is it one of ours?
        places = {key: (projection.name, key) for key in keys}
        missing = [key for key, place in places.items() if place not in self.cache]
        known = {key: row for key, place in places.items() if (row := self.cache.get(place)) is not None}
        if not missing:
            return known
        reader = self.cache.begin(places[key] for key in missing)
        read: dict[UUID, Versioned[RowT] | None] = {}
        try:
            found = await self.database.ask(lambda session: rows_of(session, self.layout, projection, missing))
            read = dict.fromkeys(missing) | found
        finally:
            ended = {places[key]: row for key, row in read.items()}
            self.cache.end(reader, [places[key] for key in missing], ended)
        return known | {key: row for key, row in read.items() if row is not None}

    async def find(
        self, projection: Projection[RowT], where: Mapping[str, object], *, limit: int | None = None
    ) -> list[Versioned[RowT]]:
        clauses, values = _clauses(projection, where, first=2)
        statement = (
            f"SELECT key, sequence, row FROM {self.layout.table(projection)} WHERE {clauses}"  # noqa: S608
            " ORDER BY sequence DESC, key LIMIT $1"
        )
        parsed = self.cache.parsed
        found = await self.database.ask(lambda session: session.fetch(statement, limit, *values))
        return _rows(projection, found, parsed)

    async def kept(self, projection: Projection[RowT], where: Mapping[str, object]) -> list[Versioned[RowT]]:
        asked = (projection.name, tuple(conditions(projection, where)))
        known = self.cache.lists.get(asked)
        if known is not None:
            return known
        begun = self.cache.lists.begin(asked)
        read: list[Versioned[RowT]] | None = None
        try:
            read = await self.find(projection, where)
        finally:
            self.cache.lists.end(begun, read)
        return read

    async def page(
        self,
        projection: Projection[RowT],
        where: Mapping[str, object],
        *,
        by: str,
        limit: int,
        below: int | None = None,
    ) -> list[Versioned[RowT]]:
        number = column(ordering(projection, by))
        clauses, values = _clauses(projection, where, first=3)
        statement = (
            f"SELECT key, sequence, row FROM {self.layout.table(projection)}"  # noqa: S608
            f" WHERE {clauses} AND ($2::bigint IS NULL OR {number} < $2) ORDER BY {number} DESC, key LIMIT $1"
        )
        parsed = self.cache.parsed
        found = await self.database.ask(lambda session: session.fetch(statement, limit, below, *values))
        return _rows(projection, found, parsed)

    async def reached(self, sequence: int, patience: timedelta = PATIENCE) -> None:
        await self.progress.reached(sequence, patience)

    @property
    def position(self) -> int:
        return self.progress.position

    @property
    def halted(self) -> HaltedError | None:
        return self.progress.halted


def _rows(projection: Projection[RowT], records: list[Record], parsed: ParsedRows) -> list[Versioned[RowT]]:
    return [
        parsed.get((projection.name, record["key"]), record["sequence"], partial(versioned, projection, record))
        for record in records
    ]


def _clauses(projection: Projection[RowT], where: Mapping[str, object], *, first: int) -> tuple[str, list[list[str]]]:
    """Return SQL for what `where` asks for, and its parameters, numbered from `first`."""
    wanted = conditions(projection, where)
    clauses = " AND ".join(_clause(one, place) for place, one in enumerate(wanted, first)) or "true"
    # U+0000 is in no text of PostgreSQL, which refuses to be asked for it: no row has such a value.
    return clauses, [[value for value in one.values if value is not None and "\x00" not in value] for one in wanted]


def _clause(condition: Condition, place: int) -> str:
    """Return SQL that compares a column with an array in a parameter; null is no value of an array."""
    name = column(condition.field)
    any_value = f"{name} = ANY(${place}::text[])"
    return f"({any_value} OR {name} IS NULL)" if None in condition.values else any_value
