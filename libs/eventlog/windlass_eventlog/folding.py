"""How events become rows: the one meaning of a projection, whatever keeps the rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_eventlog.projection import Projection, Versioned

AnyProjection = Projection[Any]
AnyRow = Versioned[Any]


def touched_keys(projection: AnyProjection, events: Iterable[Recorded[Event]]) -> set[UUID]:
    """Return the keys whose rows the events may change."""
    return {key for event in events if (key := projection.key(event)) is not None}


def fold(
    projection: AnyProjection, rows: Mapping[UUID, AnyRow], events: Iterable[Recorded[Event]]
) -> dict[UUID, AnyRow | None]:
    """Return the rows that the events leave behind, None for those that are gone; `rows` are those from before."""
    after: dict[UUID, AnyRow | None] = {}
    for event in events:
        key = projection.key(event)
        if key is None:
            continue
        before = after[key] if key in after else rows.get(key)
        row = projection.evolve(None if before is None else before.row, event)
        after[key] = None if row is None else Versioned(key, row, event.sequence)
    return after


@dataclass(frozen=True, slots=True)
class Condition:
    """An indexed field has one of these values, written as JSON writes them; None stands for null."""

    field: str
    values: tuple[str | None, ...]

    def holds(self, row: BaseModel) -> bool:
        return indexed(row, self.field) in self.values


def conditions(projection: AnyProjection, where: Mapping[str, object]) -> list[Condition]:
    """Return what `where` asks for.

    Raises:
        LookupError: a field is not among the projection's indexes.
    """
    if unknown := sorted(set(where) - set(projection.indexes)):
        msg = f"Rows of {projection.name} are not looked up by {', '.join(unknown)}: declare it in `indexes`."
        raise LookupError(msg)
    return [
        Condition(name, tuple(as_text(one) for one in (value if isinstance(value, tuple) else (value,))))
        for name, value in where.items()
    ]


def ordering(projection: AnyProjection, by: str) -> str:
    """Return the field by which rows are to be listed.

    Raises:
        LookupError: the projection does not order its rows by it.
    """
    if by not in projection.ordered:
        msg = f"Rows of {projection.name} are not listed by {by}: declare it in `ordered`."
        raise LookupError(msg)
    return by


def indexed(row: BaseModel, name: str) -> str | None:
    """Return a field of a row as it is looked up."""
    return as_text(getattr(row, name))


def as_text(value: object) -> str | None:
    """Return a scalar as JSON writes it, None for null."""
    if value is None or type(value) is str:
        return value
    match to_jsonable_python(value):
        case None:
            return None
        case bool() as truth:
            return "true" if truth else "false"
        case str() | int() | float() as scalar:
            return str(scalar)
        case other:
            msg = f"rows are looked up by single values, not by a {type(other).__name__}"
            raise TypeError(msg)
