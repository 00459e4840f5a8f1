"""The lines that wait to be stored: numbered, cut into batches, and bounded."""

from collections import deque

from windlass_contracts.logs import MAX_LINE_BYTES, MAX_LINES, LogBatch, LogLine

BATCH_BYTES = 512 * 1024
"""Text of one batch. Compressed it stays below the megabyte that a NATS message may have, even where it is noise."""

BUFFER_BYTES = 4 * 1024 * 1024
BUFFER_LINES = 20 * MAX_LINES


class Batcher:
    """Takes lines of one source one by one and gives them back as batches, without gap, in order."""

    def __init__(self, source: str, first: int) -> None:
        self._source = source
        self._first = first
        self._lines: deque[LogLine] = deque()
        self._bytes = 0

    @property
    def next_line(self) -> int:
        """The number that the next line gets."""
        return self._first + len(self._lines)

    @property
    def empty(self) -> bool:
        return not self._lines

    @property
    def holds_a_full_batch(self) -> bool:
        return len(self._lines) >= MAX_LINES or self._bytes >= BATCH_BYTES

    @property
    def full(self) -> bool:
        """Whether whoever adds lines has to wait until some were taken."""
        return len(self._lines) >= BUFFER_LINES or self._bytes >= BUFFER_BYTES

    def add(self, line: LogLine) -> None:
        self._lines.append(line)
        self._bytes += _size(line)

    def take(self) -> LogBatch:
        """Return the oldest lines, at least one and at most a batch of them.

        Raises:
            IndexError: there are none.
        """
        taken = [self._pop()]
        size = _size(taken[0])
        while self._lines and len(taken) < MAX_LINES and size + _size(self._lines[0]) <= BATCH_BYTES:
            taken.append(self._pop())
            size += _size(taken[-1])
        batch = LogBatch(source=self._source, first=self._first, lines=tuple(taken))
        self._first += len(taken)
        return batch

    def _pop(self) -> LogLine:
        line = self._lines.popleft()
        self._bytes -= _size(line)
        return line


def _size(line: LogLine) -> int:
    return len(line.text.encode())


def cut(text: str) -> str:
    """Return the text, or as much of its beginning as a line may hold, with a mark that says how much is missing."""
    encoded = text.encode()
    if len(encoded) <= MAX_LINE_BYTES:
        return text
    kept = encoded[: MAX_LINE_BYTES - len(_CUT.format(len(encoded)))].decode(errors="ignore")
    return kept + _CUT.format(len(encoded) - len(kept.encode()))


_CUT = " [{} bytes cut]"
