"""Rows that were read lately: most of what is decided and shown asks for the same few rows again and again.

What is here is what the database says: the projection runner replaces each row that it wrote before it says that the
log was read that far. A row that is being read while it is written is not kept.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from windlass_eventlog.folding import AnyRow
from windlass_eventlog.postgres.kept_lists import KeptLists, Written

_MOST_ROWS = 1_000
_MOST_PARSED = 4_000

Place = tuple[str, UUID]
"""A projection's name and a key."""


class ParsedRows:
    """Rows as they stood at their sequences: to read what was written takes long, and lists are asked for again."""

    def __init__(self) -> None:
        self._rows: OrderedDict[Place, AnyRow] = OrderedDict()

    def get(self, place: Place, sequence: int, parse: Callable[[], AnyRow]) -> AnyRow:
        """Return the row as of a sequence: the very one that was parsed before, if one was."""
        known = self._rows.get(place)
        if known is None or known.sequence != sequence:
            known = self._rows[place] = parse()
        self._rows.move_to_end(place)
        if len(self._rows) > _MOST_PARSED:
            self._rows.popitem(last=False)
        return known


@dataclass(slots=True)
class RowCache:
    """The rows of one process; the one that was not asked for longest makes room."""

    limit: int = _MOST_ROWS
    parsed: ParsedRows = field(default_factory=ParsedRows)
    """Those of lists; whoever reads one takes this before, for all that was read so far is dropped with it."""
    lists: KeptLists = field(default_factory=KeptLists)
    _rows: OrderedDict[Place, AnyRow | None] = field(default_factory=OrderedDict)
    _reading: dict[Place, set[object]] = field(default_factory=dict)

    def __contains__(self, place: Place) -> bool:
        """Whether it is known what lies there, if anything."""
        return place in self._rows

    def get(self, place: Place) -> AnyRow | None:
        """Return the row; None where there is none, or nothing is known."""
        if place not in self._rows:
            return None
        self._rows.move_to_end(place)
        return self._rows[place]

    def begin(self, places: Iterable[Place]) -> object:
        """Say that rows are about to be read, and return what `end` wants of whoever read them."""
        reader = object()
        for place in places:
            self._reading.setdefault(place, set()).add(reader)
        return reader

    def end(self, reader: object, places: Iterable[Place], rows: Mapping[Place, AnyRow | None]) -> None:
        """Keep the rows that were read (None: there is none), but for those that were written meanwhile."""
        for place in places:
            readers = self._reading.get(place, set())
            if reader not in readers:
                continue
            readers.discard(reader)
            if not readers:
                del self._reading[place]
            if place in rows:
                self._keep(place, rows[place])

    def written(self, rows: Written) -> None:
        """Take what was written in the place of what is kept."""
        for name, changed in rows.items():
            for key, row in changed.items():
                if (name, key) in self._rows:
                    self._rows[name, key] = row
                self._reading.pop((name, key), None)
        self.lists.written(rows)

    def clear(self) -> None:
        """Take out everything: somebody else wrote, or nobody knows what."""
        self._rows.clear()
        self.parsed = ParsedRows()
        self.lists.clear()
        self._reading.clear()

    def _keep(self, place: Place, row: AnyRow | None) -> None:
        self._rows[place] = row
        self._rows.move_to_end(place)
        if len(self._rows) > self.limit:
            self._rows.popitem(last=False)
