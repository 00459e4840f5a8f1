"""Whether the raw copy of the events agrees with the stream, message by message."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from windlass_eventlog.log import EventLog
from windlass_eventlog.message import StoredMessage
from windlass_eventlog.postgres.database import Database
from windlass_gateway.adapters.event_copy import Copied, EventCopy, part

MOST_NAMED = 100
"""Differences that are named; all are counted."""

_COMPARED = ("stored_at", "subject", "headers", "body")


@dataclass(frozen=True, slots=True)
class CopyDifference:
    """A sequence at which copy and stream do not agree, and how: `missing from the copy`, or the parts that differ."""

    sequence: int
    what: str


@dataclass(slots=True)
class CopyComparison:
    """What was compared, up to `position`, where the copy stood at the beginning; `head` is the stream's end then."""

    position: int
    head: int
    compared: int = 0
    differing: int = 0
    differences: list[CopyDifference] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        return not self.differing

    def note(self, sequence: int, what: str) -> None:
        self.differing += 1
        if len(self.differences) < MOST_NAMED:
            self.differences.append(CopyDifference(sequence, what))


async def nobody_listens(_done: int, _total: int) -> None:
    """Tell nobody."""


async def compare_copy(
    log: EventLog, database: Database, on_progress: Callable[[int, int], Awaitable[None]] = nobody_listens
) -> CopyComparison:
    """Read the whole stream up to where the copy goes, and compare.

    Raises:
        GapError: the stream misses a sequence.
        LogUnavailableError, RowsUnavailableError: NATS or PostgreSQL do not answer.
    """
    place = await EventCopy(log, database).place()
    found = CopyComparison(place.position, await log.head())
    if place.position == 0:
        return found
    async with aclosing(log.stretches(0)) as stretches:
        async for stretch in stretches:
            messages = [message for message in stretch.messages if message.sequence <= place.position]
            await _compare(database, place, messages, found)
            await on_progress(found.compared, place.position)
            if found.compared >= place.position:
                break
    return found


async def _compare(database: Database, place: Copied, messages: list[StoredMessage], found: CopyComparison) -> None:
    rows = await part(database, place, messages[0].sequence, messages[-1].sequence)
    copies = {copy.sequence: copy for copy in rows}
    for message in messages:
        found.compared += 1
        copy = copies.get(message.sequence)
        if copy is None:
            found.note(message.sequence, "missing from the copy")
        elif differing := [name for name in _COMPARED if getattr(copy, name) != getattr(message, name)]:
            found.note(message.sequence, f"{', '.join(differing)} differ")
