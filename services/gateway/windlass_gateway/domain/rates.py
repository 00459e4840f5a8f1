"""How many of something are let through: token buckets, one per key and one over all keys, in bounded memory."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class Rate:
    """How many at once, and how many a second for long."""

    burst: int
    per_s: float


@dataclass(slots=True)
class TokenBucket:
    """Full at first. Times are seconds of a clock that never runs backwards."""

    rate: Rate
    tokens: float
    filled_at: float

    @classmethod
    def full(cls, rate: Rate, now: float) -> Self:
        return cls(rate, float(rate.burst), now)

    def has_one(self, now: float) -> bool:
        """Fill the bucket up to this moment, and return whether something is in it."""
        passed = max(0.0, now - self.filled_at)
        self.tokens, self.filled_at = min(self.rate.burst, self.tokens + passed * self.rate.per_s), now
        return self.tokens >= 1

    def take(self) -> None:
        self.tokens -= 1


@dataclass(slots=True)
class Rates:
    """Lets through what neither its key nor all keys together have too much of.

    The buckets of `remembered` keys are kept, those used last; one that is forgotten is full when it comes back, which
    the bucket over all bounds.
    """

    each: Rate
    together: Rate
    remembered: int = 1_024
    _all: TokenBucket | None = None
    _by_key: "OrderedDict[str, TokenBucket]" = field(default_factory=OrderedDict)

    def admits(self, key: str, now: float) -> bool:
        """Return whether one more is let through; only then it counts."""
        together = self._all = self._all or TokenBucket.full(self.together, now)
        if not together.has_one(now):
            return False
        own = self._by_key.get(key) or TokenBucket.full(self.each, now)
        self._by_key[key] = own
        self._by_key.move_to_end(key)
        if len(self._by_key) > self.remembered:
            self._by_key.popitem(last=False)
        if not own.has_one(now):
            return False
        together.take()
        own.take()
        return True

    def remembers(self) -> int:
        """Return how many keys have a bucket."""
        return len(self._by_key)
