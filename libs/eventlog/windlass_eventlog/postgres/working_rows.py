"""Rows in memory while events are folded into them: those touched lately, and those not written yet.

They are what the database says plus what was folded since, as long as nobody else moved the checkpoint; who notices
that somebody did throws all of them away.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.subjects import AggregateKey
from windlass_eventlog.folding import AnyProjection, AnyRow
from windlass_eventlog.projection import ByAggregate, Versioned

_KEPT = 4_000
"""Rows that are kept at least, and at most twice as many: small, so that memory stays flat however long the log is."""

Known = dict[int, AnyRow | None]
"""Rows by the number of their key; None says that there is none. Numbers, for a UUID is hashed by Python code."""


@dataclass(slots=True)
class _Table:
    """The rows of one projection; the older half is forgotten when the younger one is full and written."""

    projection: AnyProjection
    young: Known = field(default_factory=dict)
    old: Known = field(default_factory=dict)
    unwritten: dict[int, UUID] = field(default_factory=dict)
    missing: dict[int, UUID] = field(default_factory=dict)

    def want(self, number: int, key: UUID) -> None:
        """Hear that the row of a key will be touched that is not among the young ones."""
        if number in self.old:
            self.young[number] = self.old.pop(number)
        else:
            self.missing[number] = key


Touch = tuple[Recorded[Event], list[tuple[_Table, int, UUID]]]
"""An event and the rows that it touches: their tables and keys."""

Pass = tuple[_Table, UUID, int]
"""A row, by its table and key, and the sequence of an event about it that was passed over."""


@dataclass(slots=True)
class WorkingRows:
    """The rows of some projections."""

    projections: Sequence[AnyProjection]
    _tables: tuple[_Table, ...] = field(init=False)
    _touched_by: dict[type[Event], tuple[_Table, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._tables = tuple(map(_Table, self.projections))

    def touches(self, events: Iterable[Recorded[Event]]) -> list[Touch]:
        """Return the events with what they touch; what is not known of that is `missing`."""
        found: list[Touch] = []
        for event in events:
            kind = type(event.event)
            tables = self._touched_by.get(kind)
            if tables is None:
                tables = tuple(table for table in self._tables if table.projection.may_touch(kind))
                self._touched_by[kind] = tables
            touched = []
            for table in tables:
                if (key := table.projection.key(event)) is not None:
                    if (number := key.int) not in table.young:
                        table.want(number, key)
                    touched.append((table, number, key))
            found.append((event, touched))
        return found

    def passes(self, passed: Iterable[tuple[AggregateKey, int]]) -> list[Pass]:
        """Return the rows of aggregates that events were passed over about; what is not known of them is `missing`."""
        found: list[Pass] = []
        for about, sequence in passed:
            for table in self._tables:
                if isinstance(table.projection.key, ByAggregate) and table.projection.key.aggregate is about.aggregate:
                    if (number := about.id.int) not in table.young:
                        table.want(number, about.id)
                    found.append((table, about.id, sequence))
        return found

    def move(self, passing: Pass) -> None:
        """Let a row that is there stand behind an event that it knows nothing of: it is expected of the log there."""
        table, key, sequence = passing
        row = table.young[key.int]
        if row is not None and row.sequence < sequence:
            table.young[key.int] = Versioned(key, row.row, sequence)
            table.unwritten[key.int] = key

    def missing(self) -> list[tuple[AnyProjection, list[UUID]]]:
        """Return the keys of which `learn` has to tell before anything is folded."""
        return [(table.projection, list(table.missing.values())) for table in self._tables if table.missing]

    def learn(self, projection: AnyProjection, rows: Mapping[UUID, AnyRow]) -> None:
        """Take what the database says of all that is missing of a projection."""
        (table,) = (table for table in self._tables if table.projection is projection)
        table.young.update((number, rows.get(key)) for number, key in table.missing.items())
        table.missing.clear()

    def fold(self, touch: Touch) -> None:
        """Fold an event into all rows that it touches, or into none where a projection raises."""
        event, touched = touch
        changes: list[AnyRow | None] = []
        for table, number, key in touched:
            before = table.young[number]
            row = table.projection.evolve(None if before is None else before.row, event)
            changes.append(None if row is None else Versioned(key, row, event.sequence))
        for (table, number, key), after in zip(touched, changes, strict=True):
            table.young[number] = after
            table.unwritten[number] = key

    @property
    def unwritten(self) -> int:
        """How many rows were folded since `written` was called last."""
        return sum(len(table.unwritten) for table in self._tables)

    def changed(self) -> dict[str, dict[UUID, AnyRow | None]]:
        """Return the rows that were folded since then, by projection and key."""
        return {
            table.projection.name: {key: table.young[number] for number, key in table.unwritten.items()}
            for table in self._tables
            if table.unwritten
        }

    def changes(self) -> list[tuple[AnyProjection, list[AnyRow], list[UUID]]]:
        """Return, by projection, the rows that were folded since then, and the keys of those that are gone."""
        return [
            (
                table.projection,
                [row for number in table.unwritten if (row := table.young[number]) is not None],
                [key for number, key in table.unwritten.items() if table.young[number] is None],
            )
            for table in self._tables
            if table.unwritten
        ]

    def written(self) -> None:
        """Hear that the database has everything, so that the older rows may be forgotten."""
        for table in self._tables:
            table.unwritten.clear()
        if sum(len(table.young) for table in self._tables) > _KEPT:
            for table in self._tables:
                table.old, table.young = table.young, {}
