"""What the probes of live versions came to, by environment and minute, until it is stored."""

from collections.abc import Collection
from dataclasses import dataclass, field
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

    def note(self, deployment: UUID, good: Success | None) -> None:
        """Count a probe of a deployment, in each environment that answers with it; None says that it was bad."""
        places = self.answering.places(deployment)
        if not places:
            return
        one = Sum(1, 1) if good is None else Sum(1, 0, good.duration_ms, good.duration_ms)
        minute = self.now
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
    """Counts one probe of a container in a round, so that a share of probes is one of time.

    In doubt a container is probed more often, and while it starts all the time: a bad minute would count for many.
    While it is `off`, none counts.
    """

    samples: Samples
    deployment: UUID
    every_s: float
    off: bool = False
    _due: float = 0.0

    def take(self, at: float, good: Success | None) -> None:
        """Count the probe that ended at a time of the loop, unless another one of this round was counted."""
        if self.off or at < self._due:
            return
        self._due = at + self.every_s
        self.samples.note(self.deployment, good)
