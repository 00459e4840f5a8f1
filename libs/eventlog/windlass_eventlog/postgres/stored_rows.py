"""Rows as PostgreSQL has them."""

from collections.abc import Collection
from uuid import UUID

from asyncpg import Record

from windlass_eventlog.folding import AnyProjection, AnyRow
from windlass_eventlog.postgres.database import Session
from windlass_eventlog.postgres.layout import Layout
from windlass_eventlog.projection import Versioned


async def rows_of(
    session: Session, layout: Layout, projection: AnyProjection, keys: Collection[UUID]
) -> dict[UUID, AnyRow]:
    """Return the rows of those keys that have one."""
    statement = f"SELECT key, sequence, row FROM {layout.table(projection)} WHERE key = ANY($1)"  # noqa: S608 - a name of ours
    found = await session.fetch(statement, list(keys))
    return {record["key"]: versioned(projection, record) for record in found}


def versioned(projection: AnyProjection, record: Record) -> AnyRow:
    """Return what a record of a projection's table holds."""
    return Versioned(record["key"], projection.row.model_validate_json(record["row"]), record["sequence"])
