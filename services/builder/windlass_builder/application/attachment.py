"""The port to a command's input and outputs, byte by byte."""

from dataclasses import dataclass
from typing import Protocol

from windlass_builder.domain.workloads import Exited, OutputStream
from windlass_contracts.run_frames import Size


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes that the command wrote; through a terminal all of them come as standard output."""

    stream: OutputStream
    data: bytes


class Attachment(Protocol):
    """An open connection to one runner; the runner outlives it."""

    async def read(self) -> Piece | None:
        """Return the next bytes, None behind the last ones. While nobody reads, the command waits, sooner or later.

        Raises: EngineError.
        """
        ...

    async def write(self, data: bytes) -> None:
        """Give bytes to the command's input; waits while it takes none. Nothing happens where it takes no more.

        Raises: EngineError.
        """
        ...

    async def end_input(self) -> None:
        """Let the command find the end of its input; one with a terminal is told by its end-of-file character."""
        ...

    async def resize(self, size: Size) -> None:
        """Tell the command's terminal its size; nothing happens where it has none, or has ended."""
        ...

    async def ended(self) -> Exited:
        """Return how the command ended once it has.

        Raises: RunnerMissingError, EngineError.
        """
        ...
