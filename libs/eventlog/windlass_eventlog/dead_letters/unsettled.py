"""How often a process died while a reactor was at work: the one failure that nobody is left to count."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol


class Unsettled(Protocol):
    """Counts the beginnings that were followed by no end, by sequence and reactor; it outlives the process."""

    async def begin(self, sequence: int, reactor: str) -> int:
        """Note that a reactor begins, and return how many beginnings before had no end."""
        ...

    async def end(self, sequence: int, reactor: str) -> None:
        """Note that this beginning had its end, whichever."""
        ...

    async def forget(self, sequence: int) -> None:
        """Forget a wake-up: it is settled."""
        ...


@dataclass(slots=True)
class MemoryUnsettled(Unsettled):
    """Counts in memory, which outlives the simulated death of a service."""

    _open: Counter[tuple[int, str]] = field(default_factory=Counter)

    async def begin(self, sequence: int, reactor: str) -> int:
        self._open[sequence, reactor] += 1
        return self._open[sequence, reactor] - 1

    async def end(self, sequence: int, reactor: str) -> None:
        self._open[sequence, reactor] -= 1

    async def forget(self, sequence: int) -> None:
        for place in [place for place in self._open if place[0] == sequence]:
            del self._open[place]
