"""Rows in memory while events are folded into them: those touched lately, and those not written yet.

They are what the database says plus what was folded since, as long as nobody else moved the checkpoint; who notices
that somebody did throws all of them away.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.subjects import Aggregate
from windlass_eventlog.folding import AnyProjection, AnyRow
from windlass_eventlog.projection import Versioned

_KEPT = 4_000
"""Rows that are kept at least, and at most twice as many: small, so that memory stays flat however long the log is."""

Known = dict[UUID, AnyRow | None]
"""Rows by key; None says that there is none."""


@dataclass(slots=True)
class WorkingRows:
    """The rows of some projections. The older half is forgotten when the younger one is full and written."""

    projections: Sequence[AnyProjection]
    _about: dict[Aggregate, tuple[AnyProjection, ...]] = field(init=False)
    _young: dict[str, Known] = field(default_factory=partial(defaultdict, dict))
    _old: dict[str, Known] = field(default_factory=partial(defaultdict, dict))
    _unwritten: dict[str, set[UUID]] = field(default_factory=partial(defaultdict, set))

    def __post_init__(self) -> None:
        self._about = {kind: tuple(one for one in self.projections if one.may_touch(kind)) for kind in Aggregate}

    def missing(self, events: Iterable[Recorded[Event]]) -> dict[str, set[UUID]]:
        """Return, by projection, the keys that the events touch and of which nothing is known here."""
        found: dict[str, set[UUID]] = defaultdict(set)
        for event in events:
            for projection in self._about[event.key.aggregate]:
                key, name = projection.key(event), projection.name
                if key is None or key in self._young[name]:
                    continue
                if key in self._old[name]:
                    self._young[name][key] = self._old[name].pop(key)
                else:
                    found[name].add(key)
        return found

    def learn(self, projection: AnyProjection, keys: Iterable[UUID], rows: Mapping[UUID, AnyRow]) -> None:
        """Take what the database says of some keys."""
        self._young[projection.name].update((key, rows.get(key)) for key in keys)

    def fold(self, event: Recorded[Event]) -> None:
        """Fold an event into all rows that it touches, or into none where a projection raises."""
        changes: list[tuple[str, UUID, AnyRow | None]] = []
        for projection in self._about[event.key.aggregate]:
            key = projection.key(event)
            if key is None:
                continue
            before = self._young[projection.name][key]
            row = projection.evolve(None if before is None else before.row, event)
            changes.append((projection.name, key, None if row is None else Versioned(key, row, event.sequence)))
        for name, key, after in changes:
            self._young[name][key] = after
            self._unwritten[name].add(key)

    @property
    def unwritten(self) -> Mapping[str, set[UUID]]:
        """The keys whose rows were folded since `written` was called last, by projection."""
        return self._unwritten

    def row(self, projection: AnyProjection, key: UUID) -> AnyRow | None:
        return self._young[projection.name][key]

    def written(self) -> None:
        """Hear that the database has everything, so that the older rows may be forgotten."""
        self._unwritten.clear()
        if sum(map(len, self._young.values())) > _KEPT:
            self._old = self._young
            self._young = defaultdict(dict)
