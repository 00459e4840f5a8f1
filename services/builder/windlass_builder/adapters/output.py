"""From the fragments that pipes and engines deliver to whole lines with a time."""

from collections.abc import Iterator
from datetime import UTC, datetime

from windlass_builder.domain.workloads import OutputLine, OutputStream

LONGEST_LINE = 2**20


class LineAssembler:
    """Joins the fragments of each stream to lines; a line longer than 1 MiB is cut into several."""

    def __init__(self) -> None:
        self._open: dict[OutputStream, bytes] = dict.fromkeys(OutputStream, b"")

    def feed(self, stream: OutputStream, fragment: bytes) -> Iterator[OutputLine]:
        """Yield the lines that the fragment completes, with the time at which it came."""
        *lines, rest = (self._open[stream] + fragment).split(b"\n")
        while len(rest) >= LONGEST_LINE:
            lines.append(rest[:LONGEST_LINE])
            rest = rest[LONGEST_LINE:]
        self._open[stream] = rest
        for line in lines:
            yield from _pieces(stream, line)

    def rest(self) -> Iterator[OutputLine]:
        """Yield what was written without a line end, once nothing more comes."""
        for stream, line in self._open.items():
            if line:
                yield OutputLine(datetime.now(UTC), stream, line)
        self._open = dict.fromkeys(OutputStream, b"")


def _pieces(stream: OutputStream, line: bytes) -> Iterator[OutputLine]:
    text = line.removesuffix(b"\r")
    for start in range(0, max(len(text), 1), LONGEST_LINE):
        yield OutputLine(datetime.now(UTC), stream, text[start : start + LONGEST_LINE])
