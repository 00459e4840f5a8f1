"""Keys of a vault in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from windlass_eventlog.errors import KeysChangingError, KeysUnusableError
from windlass_eventlog.keys import KeyRing

_PLACE = Path("memory")


class MemoryKeys:
    """Keys that all who hold this object share."""

    def __init__(self, ring: KeyRing | None = None) -> None:
        self._ring = ring or KeyRing.generated()
        self._taken = False

    @property
    def known(self) -> KeyRing:
        return self._ring

    def current(self) -> KeyRing:
        return self._ring

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        if self._taken:
            raise KeysChangingError(_PLACE)
        self._taken = True
        try:
            yield
        finally:
            self._taken = False

    def replace(self, ring: KeyRing, expected: KeyRing) -> None:
        if self._ring.lines != expected.lines:
            raise KeysUnusableError(_PLACE, "somebody else changed it meanwhile", "Rotate the keys again to go on.")
        self._ring = ring
