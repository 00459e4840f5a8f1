"""The schedule: every choice that a history leaves open, one byte after the other, harmless ones at its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Choices:
    """Once all bytes are used, the first of all possibilities is taken, and nothing goes wrong any more."""

    schedule: bytes
    faults: int
    used: int = 0

    def byte(self) -> int:
        """Return the next byte, 0 behind the end."""
        if self.used >= len(self.schedule):
            return 0
        self.used += 1
        return self.schedule[self.used - 1]

    def one_of(self, things: Sequence[T]) -> T:
        return things[self.byte() % len(things)]

    def fault_or(self, things: Sequence[T]) -> T | None:
        """Return one of the things, or None where something is to go wrong instead."""
        byte = self.byte()
        return None if byte >= 256 - self.faults else things[byte % len(things)]
