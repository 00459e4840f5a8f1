"""How much one source may write: a token bucket over the times at which its lines were written.

Not over the times at which they are read: what piled up during an outage was written slowly and is let through, and
reading the same lines again decides the same.
"""

from dataclasses import dataclass

_SECOND = 1_000_000_000
_BYTES_PER_TOKEN = 1024


@dataclass(frozen=True, slots=True)
class Rate:
    """How many lines a source may write per second for long, and how many at once; a line counts once per KiB."""

    lines_per_s: int = 5_000
    burst: int = 20_000


class Throttle:
    """Says which lines are let through.

    Once the bucket is empty nothing is, until it is half full again: a source that writes too much for long is shown
    in readable stretches, and not as every fourth line.
    """

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._tokens = float(rate.burst)
        self._time_ns = 0
        self._closed = False

    def admits(self, time_ns: int, size: int) -> bool:
        """Return whether a line of `size` bytes, written at `time_ns`, is let through. Time never runs backwards."""
        self._refill(time_ns)
        cost = 1 + size // _BYTES_PER_TOKEN
        self._closed = self._tokens < (self._rate.burst / 2 if self._closed else cost)
        if not self._closed:
            self._tokens -= cost
        return not self._closed

    def _refill(self, time_ns: int) -> None:
        passed = max(0, time_ns - self._time_ns) / _SECOND
        self._tokens = min(self._rate.burst, self._tokens + passed * self._rate.lines_per_s)
        self._time_ns = max(self._time_ns, time_ns)
