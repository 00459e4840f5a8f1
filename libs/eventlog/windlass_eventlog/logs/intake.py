"""What becomes of a line before it is stored: let through or left out, decoded, redacted, cut."""

from collections.abc import Iterator

from windlass_contracts.logs import LogLine
from windlass_eventlog.logs.batcher import cut
from windlass_eventlog.logs.port import RawLine
from windlass_eventlog.logs.redaction import Redaction
from windlass_eventlog.logs.throttle import Rate, Throttle


class Intake:
    """Turns lines as a program wrote them into lines as they are stored."""

    def __init__(self, redaction: Redaction, rate: Rate) -> None:
        self._redaction = redaction
        self._rate = rate
        self._throttle = Throttle(rate)
        self._suppressed = 0
        self._last_suppressed_ns = 0

    @property
    def has_suppressed(self) -> bool:
        """Whether lines were left out that no note told of yet."""
        return self._suppressed > 0

    def accept(self, line: RawLine) -> Iterator[LogLine]:
        """Yield what is to be stored for a line: nothing where it is left out, else the note that is due, and it."""
        if not self._throttle.admits(line.time_ns, len(line.data)):
            self._suppressed += 1
            self._last_suppressed_ns = line.time_ns
            return
        if self._suppressed:
            yield self.suppression_note()
        text = self._redaction.apply(line.data.decode(errors="replace"))
        yield LogLine(time_ns=line.time_ns, stream=line.stream, text=cut(text))

    def suppression_note(self) -> LogLine:
        """Return the note that tells of the lines left out since the last one; its time is the last one's of them."""
        text = f"{self._suppressed} lines suppressed: more than {self._rate.lines_per_s} lines a second."
        self._suppressed = 0
        return LogLine(time_ns=self._last_suppressed_ns, stream="note", text=text)
