"""What the probes of live versions came to, by environment and minute, until it is stored."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from windlass_contracts.series import Resolution, Sum, Sums
from windlass_eventlog.clock import Clock
from windlass_monitor.application.answering import Answering, Place
from windlass_monitor.domain.outcomes import Success
from windlass_monitor.domain.series import recent


@dataclass(slots=True)
class Samples:
    """Sums that nobody took yet. Those that cannot be stored are given back; no more are kept than a series has."""

    answering: Answering
    clock: Clock
    _sums: dict[Place, dict[int, Sum]] = field(default_factory=dict)

    @property
    def now(self) -> int:
        """The minute, since the epoch."""
        return int(self.clock().timestamp()) // Resolution.MINUTES.unit_s

    @property
    def places(self) -> Collection[Place]:
        """The environments of which there is news."""
        return tuple(self._sums)

    def note(self, deployment: UUID, good: Success | None, minute: int) -> None:
        """Count a probe of a deployment, in each environment that answers with it; None says that it was bad."""
        places = self.answering.places(deployment)
        if not places:
            return
        one = Sum(1, 1) if good is None else Sum(1, 0, good.duration_ms, good.duration_ms)
        for place in places:
            sums = self._sums.setdefault(place, {})
            known = sums.get(minute)
            sums[minute] = one if known is None else known.plus(one)

    def take(self, place: Place) -> Sums:
        """Return the sums of an environment, by minute, and forget them."""
        return self._sums.pop(place, {})

    def give_back(self, place: Place, sums: Sums) -> None:
        """Keep sums that could not be stored."""
        kept = dict(sums)
        for minute, one in self.take(place).items():
            kept[minute] = kept[minute].plus(one) if minute in kept else one
        self._sums[place] = dict(recent(kept, self.now))


@dataclass(slots=True)
class Sampler:
    """Counts one probe of a container in a round, or in a minute, so that a share of probes is one of time.

    In doubt a container is probed more often, and while it starts all the time: a bad minute would count for many. In
    a round of several minutes what was found holds for each of them. While it is `off`, none counts.
    """

    samples: Samples
    deployment: UUID
    every_s: float
    off: bool = False
    _due: float = 0.0
    _last: "_Found | None" = None

    def take(self, at: float, good: Success | None) -> None:
        """Count the probe that ended at a time of the loop, unless another one of this round was counted."""
        if self.off or at < self._due:
            return
        found = _Found(at, self.samples.now, good)
        for minute in self._since_last(found):
            self.samples.note(self.deployment, None if self._last is None else self._last.good, minute)
        self.samples.note(self.deployment, good, found.minute)
        self._due, self._last = at + min(self.every_s, Resolution.MINUTES.unit_s), found

    def _since_last(self, found: "_Found") -> Iterable[int]:
        """Return the minutes between; none where the time is too long for a round, for nobody probed then."""
        if self._last is None or (passed := found.at - self._last.at) > 2 * self.every_s:
            return ()
        minutes = int(passed // Resolution.MINUTES.unit_s)  # whatever the wall clock was set to meanwhile
        return range(max(self._last.minute + 1, found.minute - minutes), found.minute)


class _Found(NamedTuple):
    """What was found at a time of the loop, in a minute since the epoch."""

    at: float
    minute: int
    good: Success | None
