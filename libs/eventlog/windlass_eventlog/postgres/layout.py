"""Where rows lie: one schema for one set of projections, named by a digest of all that their rows depend on.

A new shape of any row is another schema: it is filled from the log beside the old one, and the old one goes once the
new one has caught up.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from windlass_contracts.event import published_events
from windlass_contracts.subjects import Aggregate, Service
from windlass_eventlog.folding import AnyProjection

_FORMAT = 3
"""Raised when the tables themselves change."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The schema of some projections, and the statements on it. Names come from our own code, never from outside."""

    service: Service
    digest: str
    projections: tuple[AnyProjection, ...]
    purpose: str = "rows"

    @classmethod
    def of(cls, service: Service, projections: Sequence[AnyProjection]) -> Self:
        ordered = tuple(sorted(projections, key=lambda projection: projection.name))
        shapes = [
            [
                one.name,
                one.version,
                list(one.indexes),
                list(one.ordered),
                one.row.model_json_schema(mode="serialization"),
            ]
            for one in ordered
        ]
        digest = hashlib.sha256(json.dumps([_FORMAT, shapes], sort_keys=True).encode()).hexdigest()
        return cls(service, digest[:16], ordered)

    def beside(self, purpose: str) -> Self:
        """Return the same tables in another schema, which is none of the live ones."""
        return replace(self, purpose=purpose)

    @property
    def prefix(self) -> str:
        """What the names of all schemas of this service and purpose begin with."""
        return f"{self.purpose}_{self.service}_"

    @property
    def schema(self) -> str:
        return f"{self.prefix}{self.digest}"

    @property
    def about(self) -> frozenset[Aggregate] | None:
        """The kinds of aggregate whose events may touch a row; None where all may."""
        types = published_events().values()
        wanted = frozenset(
            kind.AGGREGATE for kind in types if any(projection.may_touch(kind) for projection in self.projections)
        )
        return None if wanted == frozenset(Aggregate) else wanted

    def table(self, projection: AnyProjection) -> str:
        """Return the table of a projection.

        Raises:
            LookupError: it is not among those of this service.
        """
        if projection not in self.projections:
            msg = f"the projection {projection.name} is not among those of this service"
            raise LookupError(msg)
        return f'{self.schema}."row_{projection.name}"'

    @property
    def checkpoint(self) -> str:
        return f"{self.schema}.checkpoint"

    def creation(self) -> list[str]:
        """Return the statements that make the schema, harmless where it exists."""
        columns = (
            "one boolean PRIMARY KEY DEFAULT true CHECK (one), sequence bigint NOT NULL,"
            " generation uuid NOT NULL DEFAULT gen_random_uuid(), stream_created timestamptz"
        )
        statements = [
            f"CREATE SCHEMA IF NOT EXISTS {self.schema}",
            f"CREATE TABLE IF NOT EXISTS {self.checkpoint} ({columns})",
            f"INSERT INTO {self.checkpoint} (sequence) VALUES (0) ON CONFLICT DO NOTHING",  # noqa: S608
        ]
        for projection in self.projections:
            statements += self._table(projection)
        return statements

    def _table(self, projection: AnyProjection) -> list[str]:
        table = self.table(projection)
        # json, not jsonb: that one refuses the character U+0000, and what refuses an event stops the projection.
        columns = ["key uuid PRIMARY KEY", "sequence bigint NOT NULL", "row json NOT NULL"]
        columns += [f"{column(name)} {kind}" for name, kind in looked_up(projection).items()]
        indexes = [
            f'CREATE INDEX IF NOT EXISTS "row_{projection.name}_{name}" ON {table} ({column(name)})'
            for name in looked_up(projection)
        ]
        return [f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(columns)})", *indexes]


def looked_up(projection: AnyProjection) -> dict[str, str]:
    """Return the fields by which rows are looked up or listed, each with the type of its column."""
    return {**dict.fromkeys(projection.indexes, "text"), **dict.fromkeys(projection.ordered, "bigint")}


def column(index: str) -> str:
    """Return the column that holds an indexed field of the row once more, as it is looked up."""
    return f'"by_{index}"'
