"""Reading the log backwards, in bounded stretches: what a page shows costs no more, however long the log is."""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_eventlog.log import EventLog
from windlass_eventlog.seeing import seen

STRETCH = 500
"""Events that are read at once."""

MOST_STRETCHES = 10
"""Then the reader is told how far back was looked, and may look on from there."""


@dataclass(frozen=True, slots=True)
class LookedBack:
    """The wanted events, the latest first, and how far back was looked: everything behind `until` was."""

    events: list[Recorded[Event]]
    until: int


async def look_back(log: EventLog, before: int, wanted: Callable[[Recorded[Event]], bool], count: int) -> LookedBack:
    """Return the latest `count` wanted events before a sequence, or fewer, if those lie far back or there are no more.

    Raises:
        GapError: the log is not what it was.
    """
    found: list[Recorded[Event]] = []
    end = before - 1
    for _ in range(MOST_STRETCHES):
        if end <= 0 or len(found) >= count:
            break
        start = max(0, end - STRETCH)
        found += [one for one in reversed(await _stretch(log, start, end)) if wanted(one)]
        end = start
    if len(found) > count:
        return LookedBack(found[:count], found[count - 1].sequence - 1)
    return LookedBack(found, end)


async def _stretch(log: EventLog, after: int, last: int) -> list[Recorded[Event]]:
    events: list[Recorded[Event]] = []
    async with aclosing(seen(log, after)) as reading:
        async for one in reading:
            if one.recorded is not None:
                events.append(one.recorded)
            if one.sequence >= last:
                break
    return events
