"""A conversation with a command that runs elsewhere: its output here, what is typed here there.

The connection may be lost at any time. Whoever connects again says how far they got, and is sent what they lack.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from windlass.api import Api, Json
from windlass.errors import CommandError, InterruptedStreamError, UnreachableError
from windlass.keyboard import write
from windlass_contracts.run_frames import LARGEST_DATA, WINDOW, Frame, FrameKind, Size, decode_frame

_TRIES = 20
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0
_REFUSED, _TOKEN_ENDED, _TAKEN_OVER = 1008, 4401, 4409
_OUTPUTS = {FrameKind.OUT: 1, FrameKind.ERR: 2}
_STATED = {
    _REFUSED: ("The gateway closed the connection: {}.", "Report it, with what was typed or piped in."),
    _TOKEN_ENDED: ("The API token was revoked or has expired.", "The command ends soon, unless it is detached."),
    _TAKEN_OVER: ("Somebody took over: the command is shown elsewhere now.", "`windlass run --attach` takes it back."),
}


@dataclass(slots=True)
class Typed:
    """What was typed, from the byte on that the command's input has not got yet."""

    taken: int = 0
    sent: int = 0
    ended: bool = False
    _said_end: bool = False
    _known: bool = False
    _kept: bytearray = field(default_factory=bytearray)

    @property
    def room(self) -> bool:
        return len(self._kept) < WINDOW

    def add(self, data: bytes) -> None:
        self._kept += data

    def take(self, offset: int) -> None:
        """Forget what the command's input has got."""
        if offset > self.taken:
            del self._kept[: offset - self.taken]
            self.taken = offset
            self.sent = max(self.sent, offset)

    def begin_again(self, offset: int) -> None:
        """Send from that offset on; whoever comes to a command for the first time begins where others ended."""
        if self._known:
            self.take(offset)
        self._known = True
        self.taken = self.sent = offset
        self._said_end = False

    def next(self) -> Frame | None:
        """Return what is to be sent next, None while there is nothing, or no room for it."""
        start = self.sent - self.taken
        data = bytes(self._kept[start : min(start + LARGEST_DATA, WINDOW)])
        if data:
            frame = Frame(FrameKind.INPUT, self.sent, data)
            self.sent = frame.end
            return frame
        if self.ended and start == len(self._kept) and not self._said_end:
            self._said_end = True
            return Frame(FrameKind.END, self.sent)
        return None


@dataclass(slots=True)
class Conversation:
    """One command, until it ends. `has` is how far its output was written here; None where nobody knows that yet."""

    api: Api
    run: str
    at_least: int = 0
    has: int | None = 0
    size: Size | None = None
    lost: int = 0
    typed: Typed = field(default_factory=Typed)
    _shown: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _room: asyncio.Event = field(default_factory=asyncio.Event)
    _welcome: bool = False
    _new_size: bool = False

    def resize(self, size: Size) -> None:
        self.size = size
        self._new_size = True
        self._changed.set()

    async def type(self, keys: AsyncGenerator[bytes, None]) -> None:
        """Take in what is typed, as fast as the command takes it."""
        async with aclosing(keys) as pieces:
            async for piece in pieces:
                self.typed.add(piece)
                self._changed.set()
                while not self.typed.room:
                    self._room.clear()
                    await self._room.wait()
        self.typed.ended = True
        self._changed.set()

    async def until_ended(self) -> Json:
        """Show what comes until the command has ended, and return how it did.

        Raises:
            CommandError: the connection is lost for good.
        """
        failures = 0
        while True:
            why: CommandError = InterruptedStreamError("The connection ended.", "`windlass doctor` shows what is down.")
            self._welcome = False
            try:
                query = {"has": self.has or 0, "base": self.typed.taken, "at_least": self.at_least}
                async with self.api.frames(f"/runs/{self.run}/frames", query) as websocket:
                    if (end := await self._converse(websocket)) is not None:
                        return end
            except ConnectionClosed as closed:
                _check(closed)
            except UnreachableError as error:
                why = error
            failures = 0 if self._welcome else failures + 1
            if failures > _TRIES:
                raise why
            await asyncio.sleep(min(_FIRST_PAUSE_S * 2**failures, _LONGEST_PAUSE_S))

    async def _converse(self, websocket: ClientConnection) -> Json:
        sending = asyncio.ensure_future(self._send(websocket))
        try:
            async for message in websocket:
                if isinstance(message, str):
                    return json.loads(message)
                await self._take(decode_frame(message))
            await websocket.wait_closed()
            if (code := websocket.close_code) in _STATED:
                raise _error(code, websocket.close_reason or "")
            return None
        finally:
            sending.cancel()
            await asyncio.wait({sending})

    async def _take(self, frame: Frame) -> None:
        match frame.kind:
            case FrameKind.WELCOME:
                self.typed.begin_again(frame.offset)
                self._welcome = self._new_size = True
            case FrameKind.TAKEN:
                self.typed.take(frame.offset)
            case FrameKind.OUT | FrameKind.ERR:
                await self._show(frame)
        self._changed.set()
        self._room.set()

    async def _show(self, frame: Frame) -> None:
        has = frame.offset if self.has is None else self.has
        self.lost += max(0, frame.offset - has)
        if frame.end > has:
            await write(_OUTPUTS[frame.kind], frame.behind(has).data)
            self.has = frame.end

    async def _send(self, websocket: ClientConnection) -> None:
        with suppress(ConnectionClosed):  # whoever receives hears of it as well
            while True:
                await self._changed.wait()
                self._changed.clear()
                if self._new_size and self._welcome and self.size is not None:
                    self._new_size = False
                    await websocket.send(Frame.of_size(self.size).encode())
                if self.has is not None and self.has > self._shown:
                    self._shown = self.has
                    await websocket.send(Frame(FrameKind.TAKEN, self.has).encode())
                while self._welcome and (frame := self.typed.next()) is not None:
                    await websocket.send(frame.encode())


def _check(closed: ConnectionClosed) -> None:
    """Raise what a closed connection says that is no reason to come back."""
    if closed.rcvd is not None and closed.rcvd.code in _STATED:
        raise _error(closed.rcvd.code, closed.rcvd.reason) from closed


def _error(code: int, reason: str) -> CommandError:
    what, remedy = _STATED[code]
    return InterruptedStreamError(what.format(reason or "no reason was given"), remedy)
