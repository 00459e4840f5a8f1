"""Uptime and latency as small pictures: paths for an SVG, and the same in words for who cannot see them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from windlass_contracts.series import Sum
from windlass_gateway.domain.uptime import COLUMN_MINUTES, Uptime, percent

COLUMN, HEIGHT = 3, 28
_TOP = 3
_LOW_MS = 10
"""A picture of a few milliseconds is not drawn as high as one of seconds: the scale has at least this much."""
_BAR, _BAR_WIDTH = 4, 3
_SLIGHT = 0.99
_MS_PER_S = 1_000


@dataclass(frozen=True, slots=True)
class Sparkline:
    """`line` is how long good probes took, by columns of three minutes; `bad` marks those with bad ones."""

    width: int
    height: int
    line: str
    bad: str
    words: str
    mean: str | None


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar a day: all well, some bad, many bad, and nothing known."""

    width: int
    good: str
    slight: str
    bad: str
    gaps: str
    words: str


def sparkline(uptime: Uptime) -> Sparkline:
    """Return the last three hours."""
    columns = uptime.columns
    probed = [one for one in columns if one is not None]
    return Sparkline(
        width=len(columns) * COLUMN,
        height=HEIGHT,
        line=_line([None if one is None else one.mean_ms for one in columns]),
        bad="".join(f"M{at * COLUMN} 0h{COLUMN}v{HEIGHT}h-{COLUMN}z" for at in _bad(columns)),
        words=_latency_in_words(probed, len(columns)),
        mean=milliseconds(_mean(probed)),
    )


def bars(uptime: Uptime) -> Bars:
    """Return the last 90 days."""
    drawn: dict[str, list[str]] = {"good": [], "slight": [], "bad": [], "gaps": []}
    for at, day in enumerate(uptime.days):
        kind = _kind(day)
        top, height = (9, 4) if kind == "gaps" else (0, 22)
        drawn[kind].append(f"M{at * _BAR} {top}h{_BAR_WIDTH}v{height}h-{_BAR_WIDTH}z")
    paths = {kind: "".join(shapes) for kind, shapes in drawn.items()}
    return Bars(width=len(uptime.days) * _BAR - (_BAR - _BAR_WIDTH), words=_days_in_words(uptime.days), **paths)


def share(probed: Sum) -> str:
    """Return how much of the time was good, as a figure."""
    found = percent(probed)
    return "no data" if found is None else f"{found:g} %"


def milliseconds(value: float | None) -> str | None:
    """Return a time as a page shows it."""
    if value is None:
        return None
    if value >= _MS_PER_S:
        return f"{value / _MS_PER_S:.1f} s"
    return f"{value:.0f} ms" if value >= _LOW_MS else f"{value:.1f} ms"


def _line(means: Sequence[float | None]) -> str:
    """Return the path; it is broken where nothing is known, and a time by itself is a dot."""
    scale = (HEIGHT - _TOP) / max(_LOW_MS, *(one for one in means if one is not None), 0)
    shapes: list[str] = []
    drawing = False
    for at, mean in enumerate(means):
        if mean is not None:
            place = f"{at * COLUMN + COLUMN / 2:g} {HEIGHT - 1 - mean * scale * (HEIGHT - 1) / HEIGHT:.1f}"
            alone = not drawing and (at + 1 == len(means) or means[at + 1] is None)
            shapes.append(f"{'L' if drawing else 'M'}{place}{'h.01' if alone else ''}")
        drawing = mean is not None
    return "".join(shapes)


def _bad(columns: Sequence[Sum | None]) -> Iterable[int]:
    return (at for at, one in enumerate(columns) if one is not None and one.bad)


def _mean(probed: Sequence[Sum]) -> float | None:
    good = sum(one.good for one in probed)
    return sum(one.total_ms for one in probed) / good if good else None


def _latency_in_words(probed: Sequence[Sum], columns: int) -> str:
    hours = columns * COLUMN_MINUTES // 60
    if not probed:
        return f"No probes in the last {hours} hours"
    mean, worst = milliseconds(_mean(probed)), milliseconds(max(one.worst_ms for one in probed))
    said = f"Last {hours} hours: " + (f"{mean} on average, {worst} at worst" if mean else "no good answer")
    bad = sum(one.bad > 0 for one in probed) * COLUMN_MINUTES
    gaps = (columns - len(probed)) * COLUMN_MINUTES
    return said + (f"; bad answers within {bad} minutes" if bad else "") + (f"; {gaps} minutes unknown" if gaps else "")


def _kind(day: Sum | None) -> str:
    if day is None:
        return "gaps"
    if not day.bad:
        return "good"
    return "slight" if day.good >= _SLIGHT * day.probes else "bad"


def _days_in_words(days: Sequence[Sum | None]) -> str:
    known = [day for day in days if day is not None]
    bad = sum(day.bad > 0 for day in known)
    troubled = f"{bad} of them with bad answers" if bad else "none of them with bad answers"
    return f"Last {len(days)} days: {len(known)} known, {troubled}"
