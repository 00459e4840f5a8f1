"""How what was probed is summed up: minutes into hours and days, and what is too old forgotten."""

from collections.abc import Mapping

from windlass_contracts.series import Resolution, Series, Sum, Sums

_MINUTE_S = Resolution.MINUTES.unit_s


def rolled(series: Series, news: Sums, now: int) -> Series:
    """Return the series with the sums of some minutes in it, as it is kept in the minute `now`.

    Whatever comes late finds its place. What bears a time behind `now` was told by a wrong clock, and is forgotten: it
    would push out what is right for as long as it lies ahead.
    """
    return Series(*(_kept(series.of(one), news, now, one) for one in Resolution))


def recent(news: Sums, now: int) -> Mapping[int, Sum]:
    """Return what is worth keeping until it can be stored: no more minutes than a series has."""
    return _within(news, now, Resolution.MINUTES.kept)


def _kept(sums: Sums, news: Sums, now: int, resolution: Resolution) -> Sums:
    size = resolution.unit_s // _MINUTE_S
    added = dict(sums)
    for minute, one in news.items():
        unit = minute // size
        added[unit] = added[unit].plus(one) if unit in added else one
    return _within(added, now // size, resolution.kept)


def _within(sums: Sums, now: int, kept: int) -> Mapping[int, Sum]:
    return {unit: one for unit, one in sums.items() if now - kept < unit <= now}
