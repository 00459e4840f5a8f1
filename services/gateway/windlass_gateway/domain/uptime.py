"""What the series of an environment says: how much of the time it answered, and how fast."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from math import floor

from windlass_contracts.series import Resolution, Series, Sum, Sums

COLUMN_MINUTES = 3
COLUMNS = Resolution.MINUTES.kept // COLUMN_MINUTES
_HOURS_A_DAY = 24
_MINUTE_S = Resolution.MINUTES.unit_s


@dataclass(frozen=True, slots=True)
class Uptime:
    """As of the minute `now`. Of `columns` and `days` the newest is the last; None is a gap, in which nobody probed.

    `day`, `week` and `quarter` are the probes of the last 24 hours, 7 days and 90 days.
    """

    now: int
    day: Sum
    week: Sum
    quarter: Sum
    columns: tuple[Sum | None, ...]
    days: tuple[Sum | None, ...]


def uptime(series: Series, now: int) -> Uptime:
    """Return what a series says in the minute `now`, a number since the epoch."""
    hours = _last(series.hours, now * _MINUTE_S // Resolution.HOURS.unit_s, Resolution.HOURS.kept)
    days = _last(series.days, now * _MINUTE_S // Resolution.DAYS.unit_s, Resolution.DAYS.kept)
    minutes = _last(series.minutes, now, COLUMNS * COLUMN_MINUTES)
    columns = tuple(
        _together(minutes[first : first + COLUMN_MINUTES]) for first in range(0, len(minutes), COLUMN_MINUTES)
    )
    return Uptime(now, _sum(hours[-_HOURS_A_DAY:]), _sum(hours), _sum(days), columns, tuple(days))


def percent(probed: Sum) -> float | None:
    """Return the share of good probes, cut to hundredths: less than all of them is never said to be 100."""
    return None if not probed.probes else floor(10_000 * probed.good / probed.probes) / 100


def _last(sums: Sums, now: int, count: int) -> Sequence[Sum | None]:
    return [sums.get(unit) for unit in range(now - count + 1, now + 1)]


def _sum(sums: Iterable[Sum | None]) -> Sum:
    return reduce(Sum.plus, (one for one in sums if one is not None), Sum())


def _together(sums: Sequence[Sum | None]) -> Sum | None:
    found = _sum(sums)
    return found if found.probes else None
