"""From the fragments that pipes and engines deliver to whole lines with a time."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from windlass_builder.domain.flood import Flood
from windlass_builder.domain.workloads import OutputLine, OutputStream

LONGEST_LINE = 2**20


class LineAssembler:
    """Joins the fragments of each stream to lines; a line longer than 1 MiB is cut into several.

    What is a `flood` is left out: the line behind it says how much.
    """

    def __init__(self, flood: Flood | None = None) -> None:
        self._open: dict[OutputStream, bytes] = dict.fromkeys(OutputStream, b"")
        self._flood = flood
        self._latest = OutputStream.STDOUT

    def feed(self, stream: OutputStream, fragment: bytes) -> Iterator[OutputLine]:
        """Yield the lines that the fragment completes, with the time at which it came."""
        *lines, rest = (self._open[stream] + fragment).split(b"\n")
        while len(rest) >= LONGEST_LINE:
            lines.append(rest[:LONGEST_LINE])
            rest = rest[LONGEST_LINE:]
        self._open[stream] = rest
        now = datetime.now(UTC)
        if self._flood is None:
            return _lines(now, stream, lines)
        self._latest = stream
        left_out, passing = self._flood.passing(lines, now.timestamp())
        return _lines(now, stream, passing, left_out)

    def rest(self) -> Iterator[OutputLine]:
        """Yield what was written without a line end, once nothing more comes, and the end of a flood before it."""
        now = datetime.now(UTC)
        if self._flood is not None:
            left_out, last = self._flood.rest()
            yield from _lines(now, self._latest, last, left_out)
        for stream, line in self._open.items():
            if line:
                yield OutputLine(now, stream, line)
        self._open = dict.fromkeys(OutputStream, b"")


def _lines(now: datetime, stream: OutputStream, lines: Sequence[bytes], left_out: int = 0) -> Iterator[OutputLine]:
    for line in lines:
        text = line.removesuffix(b"\r")
        for start in range(0, max(len(text), 1), LONGEST_LINE):
            yield OutputLine(now, stream, text[start : start + LONGEST_LINE], left_out)
            left_out = 0
