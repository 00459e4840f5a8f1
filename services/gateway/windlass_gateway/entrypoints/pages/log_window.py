"""The part of a log that a page shows: blocks of lines, so that the browser lays out only those that are on the screen.

Lines are counted from 1 here, as people do: in addresses (`#L123`), in links, and in the ids of the live tail.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Literal

from markupsafe import Markup

from windlass_gateway.application.log_reading import NumberedLine, SourceLog
from windlass_gateway.entrypoints.pages.terminal import html

BLOCK = 250
_SHORT = 50
"""A last block with fewer lines is shown together with the one before."""

_SECOND_NS = 1_000_000_000
_MILLISECOND_NS = 1_000_000

Edge = Literal["older", "newer"]


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line; `stream` is out, err or note."""

    number: int
    time: str
    stream: str
    html: Markup


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that are laid out together."""

    index: int
    lines: Sequence[ShownLine]


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive blocks of a source that has `length` lines by now, and which blocks lie around them, if any."""

    blocks: Sequence[Block]
    length: int
    older: int | None = None
    newer: int | None = None

    @property
    def seen(self) -> int:
        """The number of the line behind which the live tail goes on: the last one, unless later ones lie between."""
        if self.newer is not None:
            return self.length
        return next((block.lines[-1].number for block in reversed(self.blocks) if block.lines), 0)


async def window_at_end(log: SourceLog) -> Window:
    """Return the last lines."""
    length = await log.length()
    last = max(0, length - 1) // BLOCK
    first = last - 1 if last and length - last * BLOCK < _SHORT else last
    return await _window(log, first, last, length)


async def window_around(log: SourceLog, number: int) -> Window:
    """Return the lines around the one of that number; the last ones if there is none."""
    length = await log.length()
    if not 0 < number <= length:
        return await window_at_end(log)
    index = (number - 1) // BLOCK
    in_block = (number - 1) % BLOCK
    last = max(0, length - 1) // BLOCK
    first = index - 1 if in_block < _SHORT else index
    until = index + 1 if in_block >= BLOCK - _SHORT else index
    return await _window(log, max(0, first), min(until, last), length)


async def window_at_edge(log: SourceLog, index: int, edge: Edge) -> Window:
    """Return one more block, with what lies behind it in the same direction."""
    window = await _window(log, index, index, await log.length())
    if edge == "older":
        return Window(window.blocks, window.length, older=window.older)
    return Window(window.blocks, window.length, newer=window.newer)


async def _window(log: SourceLog, first: int, last: int, length: int) -> Window:
    lines = await log.lines(first * BLOCK, (last - first + 1) * BLOCK)
    behind = last + 1 if (last + 1) * BLOCK < length else None
    return Window(blocks(lines), length, older=first - 1 if first else None, newer=behind)


def blocks(lines: Iterable[NumberedLine]) -> list[Block]:
    """Return lines in their blocks."""
    grouped = groupby(lines, lambda one: one.number // BLOCK)
    return [Block(index, [shown(one) for one in group]) for index, group in grouped]


def shown(one: NumberedLine) -> ShownLine:
    """Return a line as the page shows it."""
    seconds, rest = divmod(one.line.time_ns, _SECOND_NS)
    moment = datetime.fromtimestamp(min(seconds, 2**34), UTC)
    time = f"{moment:%H:%M:%S}.{rest // _MILLISECOND_NS:03}"
    return ShownLine(one.number + 1, time, one.line.stream, html(one.line.text))
