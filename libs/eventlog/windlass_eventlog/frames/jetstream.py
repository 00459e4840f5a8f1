"""Frames on the stream `TERMINALS`."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

import structlog

from windlass_contracts.run_frames import Frame, FrameError, decode_frame
from windlass_eventlog.errors import LogUnavailableError
from windlass_eventlog.frames.port import Frames, Wire
from windlass_eventlog.jetstream.answered import answered
from windlass_eventlog.jetstream.connection import Connection
from windlass_eventlog.jetstream.following import followed
from windlass_eventlog.jetstream.stored import Selection, Stored, stored
from windlass_eventlog.topology import TERMINAL_STREAM

_TRY_AGAIN_AFTER_S = 0.1
_ALONE = {"Nats-Rollup": "sub"}
"""Source: NATS ADR-8, which has buckets purge a key in this way."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class JetStreamFrames(Frames):
    """A message for each frame."""

    connection: Connection

    async def send(self, wire: Wire, frame: Frame, *, alone: bool = False) -> None:
        publish = partial(
            self.connection.jetstream.publish,
            wire.subject,
            frame.encode(),
            stream=TERMINAL_STREAM,
            headers=_ALONE if alone else None,
        )
        await self.connection.ask(publish, f"passing on a frame of {wire.run}")

    async def follow(self, wire: Wire) -> AsyncGenerator[Frame, None]:
        sequence: int | None = None
        while True:
            try:
                first = 1 if sequence is None else await self._behind(sequence)
                with answered(TERMINAL_STREAM):
                    selection = Selection(wire.subject, first, TERMINAL_STREAM)
                    async with aclosing(followed(self.connection, selection)) as lists:
                        async for messages in lists:
                            sequence = messages[-1].sequence
                            for frame in _read(messages):
                                yield frame
            except LogUnavailableError as error:
                _log.info("frames.following_again", of=str(wire.run), why=str(error))
                await asyncio.sleep(_TRY_AGAIN_AFTER_S)

    async def kept(self, wire: Wire) -> list[Frame]:
        with answered(TERMINAL_STREAM):
            async with aclosing(stored(self.connection, Selection(wire.subject, 1, TERMINAL_STREAM))) as lists:
                return [frame async for messages in lists for frame in _read(messages)]

    async def _behind(self, sequence: int) -> int:
        """Return where to go on. A server that was started again numbers its messages anew: these are in its memory."""
        with answered(TERMINAL_STREAM):
            state = (await self.connection.jetstream.stream_info(TERMINAL_STREAM)).state
        return min(sequence, state.last_seq) + 1


def _read(messages: Iterable[Stored]) -> Iterable[Frame]:
    for message in messages:
        try:
            yield decode_frame(message.data)
        except FrameError as error:
            _log.warning("frames.unreadable", subject=message.subject, why=str(error))
