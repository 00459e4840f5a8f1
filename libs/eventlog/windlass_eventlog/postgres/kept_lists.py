"""Lists of rows that are asked for again and again: kept up to date by what is written, instead of read anew.

As with single rows, what is here is what the database says: the projection runner hands over each row that it wrote
before it says that the log was read that far. Nothing makes room: they are few, and whoever asks says that it matters.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from windlass_eventlog.folding import AnyRow, Condition

Asked = tuple[str, tuple[Condition, ...]]
"""A projection's name, and what is asked for of its rows."""

Written = Mapping[str, Mapping[UUID, AnyRow | None]]
"""Rows that were written, by the projection's name and their keys; None where one is gone."""


@dataclass(slots=True, eq=False)
class KeptList:
    """One list, in the order of its rows' sequences. Numbers, for a UUID is hashed by Python code."""

    asked: Asked
    _rows: dict[int, AnyRow] = field(default_factory=dict)
    _while_read: dict[int, AnyRow | None] = field(default_factory=dict)

    @property
    def latest_first(self) -> list[AnyRow]:
        return list(reversed(self._rows.values()))

    def hear(self, written: Written) -> None:
        """Hear of what was written while the list is read."""
        self._while_read.update((key.int, row) for key, row in self._about(written))

    def fill(self, read: Iterable[AnyRow]) -> None:
        """Take what was read, but for what was heard of meanwhile: what is newer than that is yet to be told."""
        rows = {row.key.int: row for row in read if row.key.int not in self._while_read}
        rows |= {number: row for number, row in self._while_read.items() if row is not None and self._holds(row)}
        self._rows = dict(sorted(rows.items(), key=lambda pair: pair[1].sequence))
        self._while_read.clear()

    def follow(self, written: Written) -> None:
        """Take what was written after the list was filled."""
        for key, row in sorted(self._about(written), key=_sequence):
            self._rows.pop(key.int, None)
            if row is not None and self._holds(row):
                self._rows[key.int] = row

    def _about(self, written: Written) -> Iterable[tuple[UUID, AnyRow | None]]:
        return written.get(self.asked[0], {}).items()

    def _holds(self, row: AnyRow) -> bool:
        return all(condition.holds(row.row) for condition in self.asked[1])


def _sequence(pair: tuple[UUID, AnyRow | None]) -> int:
    return 0 if pair[1] is None else pair[1].sequence


@dataclass(slots=True)
class KeptLists:
    """The lists of one process."""

    _filled: dict[Asked, KeptList] = field(default_factory=dict)
    _read: set[KeptList] = field(default_factory=set)

    def get(self, asked: Asked) -> list[AnyRow] | None:
        """Return the rows, latest touched first; None while they are not known."""
        kept = self._filled.get(asked)
        return None if kept is None else kept.latest_first

    def begin(self, asked: Asked) -> KeptList:
        """Say that a list is about to be read, and return what `end` wants of whoever reads it."""
        begun = KeptList(asked)
        self._read.add(begun)
        return begun

    def end(self, begun: KeptList, read: Iterable[AnyRow] | None) -> None:
        """Keep a list that was read (None: it could not be), unless all that was begun before is void by now."""
        if begun not in self._read:
            return
        self._read.discard(begun)
        if read is not None:
            begun.fill(read)
            self._filled[begun.asked] = begun

    def written(self, rows: Written) -> None:
        """Take what was written."""
        for kept in self._filled.values():
            kept.follow(rows)
        for begun in self._read:
            begun.hear(rows)

    def clear(self) -> None:
        """Keep nothing: somebody else wrote, or nobody knows what."""
        self._filled.clear()
        self._read.clear()
