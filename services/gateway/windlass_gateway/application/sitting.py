"""The use case of sitting before a command: its output comes here, and what is typed here goes there."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import NoReturn
from uuid import UUID

from windlass_contracts.ids import RunId, TeamId
from windlass_contracts.run_frames import STAYS_S, TO_COMMAND, TO_PERSON, WINDOW, Frame, FrameError, FrameKind
from windlass_eventlog.frames.port import Wire, into, out_of
from windlass_gateway.application.gateway import Gateway

_OUTPUTS = frozenset({FrameKind.OUT, FrameKind.ERR})


class TooMuchInputError(FrameError):
    """More was sent than the command's input has room for."""


@dataclass(slots=True)
class Sitting:
    """One connection of one person to one command: they have its output up to `has`, `mark` tells it from others."""

    gateway: Gateway
    wire_in: Wire
    wire_out: Wire
    mark: bytes
    has: int
    base: int
    _welcome: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def before(cls, gateway: Gateway, team: TeamId, run: UUID, has: int, base: int) -> "Sitting":
        return cls(gateway, into(team, RunId(run)), out_of(team, RunId(run)), gateway.fresh_id().bytes, has, base)

    async def stay(self) -> NoReturn:
        """Say that somebody came, and stays, until cancelled."""
        await self.gateway.frames.send(self.wire_in, Frame.here(self.has, self.base, self.mark))
        while True:
            await asyncio.sleep(STAYS_S)
            await self.gateway.frames.send(self.wire_in, Frame(FrameKind.STAYS))

    async def type(self, frame: Frame) -> None:
        """Pass on what the person sends.

        Raises:
            FrameError: they may not send that, or not that much.
            EventLogError: the stream does not answer.
        """
        if frame.kind not in TO_COMMAND:
            raise FrameError(f"A frame of the kind {frame.kind.name} is not for commands.")
        if frame.kind is FrameKind.INPUT and frame.end - self.base > WINDOW:
            raise TooMuchInputError(f"No more than {WINDOW} bytes may be on their way: wait until some are taken.")
        await self.gateway.frames.send(self.wire_in, frame)

    async def output(self) -> AsyncGenerator[Frame, None]:
        """Yield what comes from the command from its welcome on."""
        async with aclosing(self.gateway.frames.follow(self.wire_out)) as frames:
            async for frame in frames:
                if frame.kind is FrameKind.WELCOME and frame.mark == self.mark:
                    self._welcome.set()
                if self._welcome.is_set() and frame.kind in TO_PERSON and not self._is_old(frame):
                    yield frame
                    self._note(frame)  # not before it was taken: what was broken off comes again

    async def rest(self) -> list[Frame]:
        """Return what an ended command wrote that did not come yet, as far as it is kept."""
        rest = []
        for frame in await self.gateway.frames.kept(self.wire_out):
            if frame.kind in _OUTPUTS and not self._is_old(frame):
                rest.append(frame.behind(self.has))
                self._note(frame)
        return rest

    def _is_old(self, frame: Frame) -> bool:
        return frame.kind in _OUTPUTS and frame.end <= self.has

    def _note(self, frame: Frame) -> None:
        if frame.kind in _OUTPUTS:
            self.has = frame.end
        elif frame.kind in (FrameKind.TAKEN, FrameKind.WELCOME):
            self.base = max(self.base, frame.offset)
