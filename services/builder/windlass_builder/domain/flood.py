"""What is shown of a build that prints without end: enough to read, never so much that it fills a disk or a processor.

Lines are dropped here by the thousand, before anything is made of them: a gigabyte of short lines is some 20 million.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

_BYTES_PER_TOKEN = 1_024
_LAST = 20


@dataclass(frozen=True, slots=True)
class Bounds:
    """Lines, of which each KiB counts for one: so many a second for long, so many at once, so many in all."""

    per_s: int = 4_000
    at_once: int = 10_000
    in_all: int = 200_000


@dataclass(slots=True)
class Flood:
    """Lets the lines of one build pass within its bounds; the last 20 of what it printed always do."""

    bounds: Bounds = field(default_factory=Bounds)
    _tokens: float = field(init=False)
    _left: int = field(init=False)
    _at: float | None = None
    _closed: bool = False
    _left_out: int = 0
    _last: deque[bytes] = field(default_factory=lambda: deque(maxlen=_LAST))

    def __post_init__(self) -> None:
        self._tokens, self._left = float(self.bounds.at_once), self.bounds.in_all

    def passing(self, lines: Sequence[bytes], at: float) -> tuple[int, Sequence[bytes]]:
        """Return those of the lines that are shown, and how many were left out before them; `at` is in seconds."""
        self._refill(at)
        shown = self._admitted(lines)
        before = self._left_out
        if shown:
            self._left_out = 0
            self._last.clear()
        self._left_out += len(lines) - shown
        self._last.extend(lines[max(shown, len(lines) - _LAST) :])
        return (before, lines[:shown]) if shown else (0, ())

    def rest(self) -> tuple[int, Sequence[bytes]]:
        """Return the last lines of what was left out, once nothing more comes, and how many came before those."""
        lines, before = list(self._last), self._left_out - len(self._last)
        self._last.clear()
        self._left_out = 0
        return before, lines

    def _refill(self, at: float) -> None:
        passed = 0.0 if self._at is None else max(0.0, at - self._at)
        self._at = at
        self._tokens = min(float(self.bounds.at_once), self._tokens + passed * self.bounds.per_s)
        if self._closed and self._tokens >= self.bounds.at_once / 2:  # shown in stretches, not as every tenth line
            self._closed = False

    def _admitted(self, lines: Sequence[bytes]) -> int:
        """Count the lines that may pass, and take their tokens."""
        if self._closed:
            return 0
        for number, line in enumerate(lines):
            cost = 1 + len(line) // _BYTES_PER_TOKEN
            if cost > min(self._tokens, self._left):
                self._closed = True
                return number
            self._tokens -= cost
            self._left -= cost
        return len(lines)
