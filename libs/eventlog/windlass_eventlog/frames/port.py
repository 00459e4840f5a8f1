"""The port to the frames of commands. Two adapters pass the same contract tests: JetStream, and one in memory."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from windlass_contracts.ids import RunId, TeamId
from windlass_contracts.run_frames import Frame


@dataclass(frozen=True, slots=True)
class Wire:
    """One direction of the connection to a command."""

    team: TeamId
    run: RunId
    end: str

    @property
    def subject(self) -> str:
        return f"tty.{self.team}.{self.run}.{self.end}"


def into(team: TeamId, run: RunId) -> Wire:
    """Return the wire to the command."""
    return Wire(team, run, "in")


def out_of(team: TeamId, run: RunId) -> Wire:
    """Return the wire from the command."""
    return Wire(team, run, "out")


class Frames(Protocol):
    """Passes frames on, in their order, and keeps the latest for a while."""

    async def send(self, wire: Wire, frame: Frame, *, alone: bool = False) -> None:
        """Pass a frame on; `alone` forgets all before it on that wire, which nobody needs any more.

        Raises:
            LogUnavailableError: no answer in time; it may have been passed on. Sending it again does no harm.
        """
        ...

    def follow(self, wire: Wire) -> AsyncGenerator[Frame, None]:
        """Yield what is kept and what comes, through reconnects, until closed (`aclose`) or cancelled.

        What was lost on the way leaves a gap between the offsets; what is no frame is left out.
        """
        ...

    async def kept(self, wire: Wire) -> list[Frame]:
        """Return what is kept by now.

        Raises:
            LogUnavailableError: no answer in time.
        """
        ...
