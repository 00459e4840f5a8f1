"""A command and whoever sits before it: bytes go to and fro, through whichever connection is there at the moment.

Who is there says so every few seconds. Whoever comes back says how far they got: what they lack is sent again, and what
the command's input has not got yet they send again.
"""

import asyncio
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from windlass_builder.application.attachment import Attachment, Piece
from windlass_builder.domain.window import Incoming, Outgoing
from windlass_builder.domain.workloads import Exited, OutputStream
from windlass_contracts.run_frames import LARGEST_DATA, STAYS_S, WINDOW, Frame, FrameKind
from windlass_eventlog.background import background
from windlass_eventlog.errors import LogUnavailableError
from windlass_eventlog.frames.port import Frames, Wire

ALONE_FOR = timedelta(seconds=60)
"""How long a command goes on when nobody is there."""

_SEEN_LATELY_S = STAYS_S * 2.5
_KINDS = {OutputStream.STDOUT: FrameKind.OUT, OutputStream.STDERR: FrameKind.ERR}
_OUTPUTS = frozenset(_KINDS.values())
_TOLD = frozenset({FrameKind.TAKEN, FrameKind.WELCOME})

_log = structlog.get_logger(__name__)


class AbandonedError(Exception):
    """Nobody was there for too long."""


@dataclass(frozen=True, slots=True)
class Wires:
    """Where the frames of one command go, and where they come from."""

    frames: Frames
    into: Wire
    out_of: Wire


@dataclass(slots=True)
class AttachedRun:
    """One command's connection; `detached` lets it go on while nobody is there."""

    wires: Wires
    attachment: Attachment
    detached: bool
    output: Outgoing = field(default_factory=Outgoing)
    input: Incoming = field(default_factory=Incoming)
    _taken: int = 0
    _seen_at: float = field(default_factory=lambda: asyncio.get_running_loop().time())
    _to_write: "asyncio.Queue[bytes | None]" = field(default_factory=asyncio.Queue)
    _heard: asyncio.Event = field(default_factory=asyncio.Event)
    _sending: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def resume(self) -> None:
        """Go on behind what an earlier life of this builder passed on."""
        sent = await self.wires.frames.kept(self.wires.out_of)
        came = await self.wires.frames.kept(self.wires.into)
        self.output.begin_at(max((one.end for one in sent if one.kind in _OUTPUTS), default=0))
        self.input.ended = any(one.kind is FrameKind.END for one in came)
        self._go_on_at(max((one.offset for one in sent if one.kind in _TOLD), default=0))

    async def until_ended(self) -> Exited:
        """Pass everything on until the command ends, and return how it did.

        Raises:
            AbandonedError: nobody was there for 60 s.
            RunnerMissingError, EngineError: the node lost it.
        """
        async with background(self._hear(), self._write_input()):
            alone = asyncio.ensure_future(self._alone())
            passing = asyncio.ensure_future(self._pass_output())
            try:
                await asyncio.wait({alone, passing}, return_when=asyncio.FIRST_COMPLETED)
                if not passing.done():
                    raise AbandonedError
                return passing.result()
            finally:
                for task in (alone, passing):
                    task.cancel()
                await asyncio.wait({alone, passing})

    async def _pass_output(self) -> Exited:
        while (piece := await self.attachment.read()) is not None:
            for start in range(0, len(piece.data), LARGEST_DATA):
                await self._pass(Piece(piece.stream, piece.data[start : start + LARGEST_DATA]))
        ended = await self.attachment.ended()
        while not self.output.all_taken and self._somebody:
            await self._hearing()
        return ended

    async def _pass(self, piece: Piece) -> None:
        while not self.output.room and (self._somebody or not self.detached):
            await self._hearing()
        async with self._sending:
            alone = self.output.forgets
            await self._send(self.output.next(_KINDS[piece.stream], piece.data), alone=alone)

    async def _hear(self) -> None:
        async with aclosing(self.wires.frames.follow(self.wires.into)) as frames:
            async for frame in frames:
                self._seen_at = asyncio.get_running_loop().time()
                await self._take(frame)
                self._heard.set()

    async def _take(self, frame: Frame) -> None:
        match frame.kind:
            case FrameKind.HERE:
                await self._welcome(frame)
            case FrameKind.TAKEN:
                self.output.take(frame.offset)
            case FrameKind.SIZE:
                await self.attachment.resize(frame.size)
            case FrameKind.INPUT if frame.end - self._taken <= WINDOW:
                if data := self.input.fresh(frame):
                    self._to_write.put_nowait(data)
            case FrameKind.END if self.input.ends(frame):
                self._to_write.put_nowait(None)
            case _:
                return  # a sign of life, or what does not fit to what came before

    async def _welcome(self, frame: Frame) -> None:
        """Send what the one who came lacks, and say from where on they send their input."""
        if self.output.sent == 0:
            self.output.begin_at(frame.offset)
        if self.input.next == 0:
            self._go_on_at(frame.base)
        async with self._sending:
            self.output.take(frame.offset)
            for one in (frame.welcome(self._taken), *self.output.behind(frame.offset)):
                await self._send(one)

    def _go_on_at(self, offset: int) -> None:
        self.input.next = self._taken = offset

    async def _write_input(self) -> None:
        """Give the command its input; say so first: what a crash cuts in two is lost, and never typed twice."""
        while (data := await self._to_write.get()) is not None:
            self._taken += len(data)
            await self._send(Frame(FrameKind.TAKEN, self._taken))
            await self.attachment.write(data)
        await self.attachment.end_input()
        await asyncio.Event().wait()

    async def _send(self, frame: Frame, *, alone: bool = False) -> None:
        """Send a frame, however long that takes."""
        while True:
            try:
                return await self.wires.frames.send(self.wires.out_of, frame, alone=alone)
            except LogUnavailableError as error:
                _log.warning("run.frame_not_sent", run=str(self.wires.out_of.run), why=str(error))

    @property
    def _somebody(self) -> bool:
        return asyncio.get_running_loop().time() - self._seen_at < _SEEN_LATELY_S

    async def _hearing(self) -> None:
        """Wait for a frame, or until whoever is there would have said so."""
        self._heard.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(STAYS_S):
                await self._heard.wait()

    async def _alone(self) -> None:
        """Return once nobody was there for too long."""
        if self.detached:
            await asyncio.Event().wait()
        now = asyncio.get_running_loop().time
        while (left := self._seen_at + ALONE_FOR.total_seconds() - now()) > 0:  # noqa: ASYNC110 - a moment that moves
            await asyncio.sleep(left)
