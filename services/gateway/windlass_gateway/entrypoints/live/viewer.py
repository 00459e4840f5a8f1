"""One open stream: what it still has to be sent, at most so much, and how it ends."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from windlass_gateway.entrypoints.live.frames import PING, Frame, comment

WAITING = 256
"""How many frames may wait for a slow client before its stream is closed; it comes back for the rest."""

_TOGETHER_BYTES = 16 * 1024
_FINISH_S = 1.0


@dataclass(slots=True, eq=False)
class Viewer:
    """Gets the frames behind `floor`. All methods but `next` return at once."""

    floor: int
    expires: float
    limit: int = WAITING
    _waiting: deque[bytes] = field(default_factory=deque)
    _ended: bool = False
    _wake: "asyncio.Future[None] | None" = None
    _patience: asyncio.Timeout | None = None

    def offer(self, frame: Frame) -> None:
        """Take a frame that is new to the viewer."""
        if frame.anew or frame.sequence > self.floor:
            self._take(frame.body)

    def begin(self, missed: Sequence[Frame]) -> None:
        """Put what was missed before everything that came since."""
        self._waiting.extendleft(frame.body for frame in reversed(missed))
        self._stir()

    def ping(self) -> None:
        if not self._waiting:
            self._take(PING)

    def end(self, why: str) -> None:
        """Send a parting comment, and nothing more; who does not take it within a second is cut off."""
        if self._ended:
            return
        self._ended = True
        self._waiting.clear()
        self._waiting.append(comment(why))
        self._stir()
        if self._patience is not None:
            self._patience.reschedule(asyncio.get_running_loop().time() + _FINISH_S)

    @asynccontextmanager
    async def bounded(self) -> AsyncIterator[None]:
        """Hold the block in which the stream is sent.

        Raises:
            TimeoutError: the stream ended, and the client does not take the rest.
        """
        try:
            async with asyncio.timeout(_FINISH_S if self._ended else None) as self._patience:
                yield
        finally:
            self._patience = None

    async def next(self) -> bytes | None:
        """Return what waits, as soon as something does; None once the stream ended."""
        while not self._waiting:
            if self._ended:
                return None
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        chunk = self._waiting.popleft()
        while self._waiting and len(chunk) < _TOGETHER_BYTES:
            chunk += self._waiting.popleft()
        return chunk

    def _take(self, body: bytes) -> None:
        if self._ended:
            return
        if len(self._waiting) >= self.limit:
            self.end("too slow: come back for the rest")
            return
        self._waiting.append(body)
        self._stir()

    def _stir(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
