"""The port to the output of running apps, as the node keeps it."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Stream(StrEnum):
    OUT = "out"
    ERR = "err"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where a line stands in its runner's output: its time, and its number among the lines of that very nanosecond."""

    time_ns: int
    ordinal: int


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line without its end: any bytes, at most 1 MiB; of a longer one each MiB is a line."""

    position: Position
    stream: Stream
    data: bytes


class LogSource(Protocol):
    """The output of the runners of one node. Nothing is lost as long as the node still keeps it (100 MB a runner)."""

    def follow(self, runner: str, after: Position | None = None) -> AsyncGenerator[SourceLine, None]:
        """Yield the runner's lines after that position, then those that it writes, each once and in order.

        It goes on through restarts of the app and of the engine, and ends when the runner is gone.
        """
        ...
