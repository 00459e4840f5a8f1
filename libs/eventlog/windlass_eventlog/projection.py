"""What a projection is: rows folded from events by a pure function, with the sequence that each row stands at.

Decide from a row and the sequence it carries: that sequence counts every event about the row's key, those that the
projection does not read too, so that it can be expected of the log.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.subjects import Aggregate
from windlass_eventlog.errors import HaltedError

RowT = TypeVar("RowT", bound=BaseModel)
PATIENCE = timedelta(seconds=2)
"""How long a page waits for its own command to show."""


@dataclass(frozen=True, slots=True)
class ByAggregate:
    """The key function of a projection with one row for each aggregate of a kind."""

    aggregate: Aggregate

    def __call__(self, recorded: Recorded[Event]) -> UUID | None:
        return recorded.key.id if recorded.key.aggregate is self.aggregate else None


@dataclass(frozen=True, slots=True)
class ByType:
    """The key function of a projection whose rows only events of some types touch, and are found by `key`."""

    types: frozenset[type[Event]]
    key: Callable[[Recorded[Event]], UUID | None]

    def __call__(self, recorded: Recorded[Event]) -> UUID | None:
        return self.key(recorded) if type(recorded.event) in self.types else None


def aggregate_key(aggregate: Aggregate) -> ByAggregate:
    """Return the key function of a projection with one row for each aggregate of a kind."""
    return ByAggregate(aggregate)


@dataclass(frozen=True, slots=True)
class Projection(Generic[RowT]):
    """One kind of row.

    `key` says which row an event touches, if any. `evolve` returns the row after an event, or None where the event
    says nothing about it. `indexes` names the fields of the row by which rows are looked up, `ordered` those, whole
    numbers, by which they are listed page by page. `version` is raised with
    every change of the row or of what `evolve` does: it is then rebuilt from the log.
    """

    name: str
    version: int
    row: type[RowT]
    key: Callable[[Recorded[Event]], UUID | None]
    evolve: Callable[[RowT | None, Recorded[Event]], RowT | None]
    indexes: tuple[str, ...] = field(default=())
    ordered: tuple[str, ...] = field(default=())

    def may_touch(self, kind: type[Event]) -> bool:
        """Whether events of this type may touch a row; no other event need be read for it."""
        match self.key:
            case ByAggregate(aggregate=aggregate):
                return kind.AGGREGATE is aggregate
            case ByType(types=types):
                return kind in types
            case _:
                return True


@dataclass(slots=True, unsafe_hash=True)
class Versioned(Generic[RowT]):
    """A row and the sequence of the last event that touched its key.

    Nobody changes one; it is not frozen because that would double what it costs to make a million of them.
    """

    key: UUID
    row: RowT
    sequence: int


class Rows(Protocol):
    """Rows of a service's projections, as far as the log was read."""

    async def get(self, projection: Projection[RowT], key: UUID) -> Versioned[RowT] | None:
        """Return the row of a key."""
        ...

    async def get_all(self, projection: Projection[RowT], keys: Iterable[UUID]) -> dict[UUID, Versioned[RowT]]:
        """Return the rows of those keys that have one."""
        ...

    async def find(
        self, projection: Projection[RowT], where: Mapping[str, object], *, limit: int | None = None
    ) -> list[Versioned[RowT]]:
        """Return the rows whose indexed fields have these values (a tuple means any of them), latest touched first."""
        ...

    async def kept(self, projection: Projection[RowT], where: Mapping[str, object]) -> list[Versioned[RowT]]:
        """Return what `find` does, of one of those few lists that are asked for again and again.

        It is held in memory from then on, and each row that is written costs a look at it.
        """
        ...

    async def page(
        self,
        projection: Projection[RowT],
        where: Mapping[str, object],
        *,
        by: str,
        limit: int,
        below: int | None = None,
    ) -> list[Versioned[RowT]]:
        """Return the rows whose indexed fields have these values, those with the highest numbers in `by` first.

        `below` goes on behind a page before: with the rows whose number is smaller.
        """
        ...

    async def reached(self, sequence: int, patience: timedelta = PATIENCE) -> None:
        """Wait until every event up to `sequence` is in the rows.

        Raises:
            NotReachedError: it took longer than `patience`.
            HaltedError: the projection stands still.
        """
        ...

    @property
    def position(self) -> int:
        """The sequence up to which the log was read."""
        ...

    @property
    def halted(self) -> HaltedError | None:
        """Why the rows stand still at `position`, if they do."""
        ...
