"""An environment that was probed for a while, as the monitor keeps it, with what it looks like in real life."""

from dataclasses import dataclass
from functools import reduce
from math import sin
from uuid import UUID

from windlass_contracts.series import Resolution, Series, Sum, series_key, written
from windlass_eventlog.buckets import Change
from windlass_gateway.application.gateway import Gateway

_A_MINUTE = 12


@dataclass(frozen=True, slots=True)
class Probed:
    """For how many days up to now, with the monitor away now and then, and with trouble that goes on."""

    days: int
    gaps: bool = False
    trouble: bool = False

    def series(self, now: int) -> Series:
        """Return it as of the minute `now`."""
        return Series(*(self._sums(now, resolution) for resolution in Resolution))

    def known_to(self, gateway: Gateway, project: UUID, environment: UUID) -> None:
        """Let a gateway know it, as if it had come out of the bucket."""
        now = int(gateway.uptimes.clock().timestamp()) // Resolution.MINUTES.unit_s
        gateway.uptimes.take(Change(series_key(project, environment), written(self.series(now))))

    def _sums(self, now: int, resolution: Resolution) -> dict[int, Sum]:
        size = resolution.unit_s // Resolution.MINUTES.unit_s
        first = max(now // size - resolution.kept + 1, (now - self.days * 1_440) // size)
        return {
            unit: one
            for unit in range(first, now // size + 1)
            if (one := self._of(unit, size, now // size)) is not None
        }

    def _of(self, unit: int, size: int, last: int) -> Sum | None:
        age = last - unit
        if self.gaps and age % 50 in range(20, 45):
            return None
        mean = int(14 + 6 * sin(unit / 9) + unit * 7_919 % 5 + (90 if age in range(60, 66) else 0))
        bad = self._bad(age)
        minute = Sum(_A_MINUTE, bad, (_A_MINUTE - bad) * mean, 0 if bad == _A_MINUTE else mean * 4)
        return reduce(Sum.plus, [Sum(_A_MINUTE, 0, _A_MINUTE * mean, mean * 4)] * (size - 1), minute)

    def _bad(self, age: int) -> int:
        if self.trouble:
            return _A_MINUTE if age < 8 else 3 if age % 11 == 0 else 0
        return 5 if age in {17, 61, 62} else 0
