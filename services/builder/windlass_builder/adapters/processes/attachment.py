"""The input and outputs of a process, by way of its supervisor."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress

from windlass_builder.application.attachment import Piece
from windlass_builder.domain.workloads import Exited, OutputStream
from windlass_contracts.run_frames import Size

_STREAMS = {1: OutputStream.STDOUT, 2: OutputStream.STDERR}
_OUT = struct.Struct(">BxxxL")
_IN = struct.Struct(">BL")
_DATA, _END, _SIZE = 0, 1, 2
_WINDOW = struct.Struct(">HH")


class ProcessAttachment:
    """`Attachment` to a process; `ended` waits for its supervisor."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ended: Callable[[], Awaitable[Exited]]
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._ended = ended

    async def read(self) -> Piece | None:
        try:
            number, length = _OUT.unpack(await self._reader.readexactly(_OUT.size))
            return Piece(_STREAMS[number], await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError):
            self._writer.transport.abort()  # the supervisor waits for it
            return None

    async def write(self, data: bytes) -> None:
        await self._tell(_DATA, data)

    async def end_input(self) -> None:
        await self._tell(_END, b"")

    async def resize(self, size: Size) -> None:
        await self._tell(_SIZE, _WINDOW.pack(size.rows, size.columns))

    async def ended(self) -> Exited:
        return await self._ended()

    async def _tell(self, kind: int, data: bytes) -> None:
        if self._writer.is_closing():
            return
        try:
            self._writer.write(_IN.pack(kind, len(data)) + data)
            await self._writer.drain()
        except ConnectionError:  # it has ended, and takes no more
            return

    async def close(self) -> None:
        """Close it at once, whatever is still to be sent: nobody takes it any more."""
        self._writer.transport.abort()
        with suppress(ConnectionError):
            await self._writer.wait_closed()
