"""The log of one attempt to build: what the platform says of it, and what the build itself prints in between."""

from datetime import UTC, datetime, timedelta

from windlass_builder.domain.detection import DOCKERFILE
from windlass_builder.domain.workloads import OutputLine, OutputStream
from windlass_contracts.events.deployment import LogRange, Recipe
from windlass_eventlog.clock import Clock
from windlass_eventlog.logs.port import RawLine, Stream
from windlass_eventlog.logs.writer import LogWriter

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN_LINES = 20


class BuildLog:
    """Written through `writer` as `source`; an instance is the sink of the build's output."""

    def __init__(self, writer: LogWriter, source: str, clock: Clock) -> None:
        self._writer = writer
        self._source = source
        self._clock = clock
        self._begin = writer.next_line
        self._has_output = False

    async def say(self, text: str) -> None:
        """Write what the platform has to say, line by line."""
        for line in text.splitlines():
            await self._writer.write(RawLine(nanoseconds(self._clock()), "note", line.encode()))

    async def say_plan(self, recipe: Recipe) -> None:
        """Say how the source is built and started, and what told."""
        await self.say(f"Runner: {recipe.runner}, told by {recipe.detected_by or 'nothing'}.")
        by_itself = "the image that the Dockerfile describes." if recipe.runner == DOCKERFILE else None
        await self.say(f"Build: {recipe.build_command or by_itself or 'nothing has to be built.'}")
        await self.say(f"Start: {recipe.start_command or 'as the image says.'}")

    async def __call__(self, line: OutputLine, /) -> None:
        """Write a line of the build."""
        self._has_output = True
        if line.left_out:
            await self.say(
                f"{line.left_out:,} lines are left out: a build may print what it likes, but not all is kept."
            )
        stream: Stream = "out" if line.stream is OutputStream.STDOUT else "err"
        await self._writer.write(RawLine(nanoseconds(line.time), stream, line.data))

    @property
    def end(self) -> LogRange | None:
        """The last 20 lines of this attempt; None where the build printed nothing that could say more."""
        if not self._has_output:
            return None
        behind = self._writer.next_line
        return LogRange(source=self._source, first=max(self._begin, behind - _SHOWN_LINES), last=behind - 1)


def nanoseconds(time: datetime) -> int:
    """Return the nanoseconds since 1970, exactly to the microsecond that a datetime holds."""
    return (time - _EPOCH) // timedelta(microseconds=1) * 1_000
