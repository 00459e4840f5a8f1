"""Moments, durations and ids in words, as all pages show them."""

from datetime import datetime

_MINUTE = 60
_HOUR = 3600
_DAY = 86_400
_JUST_NOW_SECONDS = 5
_LONGEST_AGE_DAYS = 30
_TENTHS_BELOW_MS = 60_000
_SECOND_MS = 1000
"""Under this, milliseconds are shown."""


def age(moment: datetime, now: datetime) -> str:
    """Return how long ago a moment was; times.js renews it in the same words."""
    passed = int((now - moment).total_seconds())
    if passed < _JUST_NOW_SECONDS:
        return "just now"
    for below, unit, name in ((_MINUTE, 1, "s"), (_HOUR, _MINUTE, "min"), (_DAY, _HOUR, "h")):
        if passed < below:
            return f"{passed // unit} {name} ago"
    days = passed // _DAY
    return f"{days} d ago" if days < _LONGEST_AGE_DAYS else f"{moment:%Y-%m-%d}"


def until(moment: datetime, now: datetime) -> str:
    """Return in how long a moment is; times.js renews it in the same words."""
    left = int((moment - now).total_seconds())
    if left < _JUST_NOW_SECONDS:
        return "now"
    for below, unit, name in ((_MINUTE, 1, "s"), (_HOUR, _MINUTE, "min"), (_DAY, _HOUR, "h")):
        if left < below:
            return f"in {left // unit} {name}"
    return f"in {left // _DAY} d"


def duration(milliseconds: int) -> str:
    """Return a duration with as many digits as help."""
    if milliseconds < _SECOND_MS:
        return f"{milliseconds} ms"
    if milliseconds < _TENTHS_BELOW_MS:
        return f"{milliseconds / _SECOND_MS:.1f} s"
    seconds = milliseconds // _SECOND_MS
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min {seconds % _MINUTE} s"
    return f"{seconds // _HOUR} h {seconds % _HOUR // _MINUTE} min"


def short(identity: object) -> str:
    """Return the beginning of an id or a commit: enough for people to tell it by."""
    return str(identity).replace("-", "")[:7]


def size(count: int) -> str:
    """Return bytes as people read them: `12.3 MiB`."""
    amount, units = float(count), ["B", "KiB", "MiB", "GiB", "TiB"]
    while amount >= _KIBI and len(units) > 1:
        amount, units = amount / _KIBI, units[1:]
    return f"{count} B" if units[0] == "B" else f"{amount:.1f} {units[0]}"


_KIBI = 1024
