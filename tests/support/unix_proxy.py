"""A Unix socket that passes everything on to another one, and whose connections a test can cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


class UnixProxy:
    """Passes connections on while it is open; a cut ends all of them, and a closed one takes no new ones."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._writers: set[asyncio.StreamWriter] = set()
        self.closed = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.closed:
            writer.transport.abort()
            return
        upstream_reader, upstream_writer = await asyncio.open_unix_connection(self._target)
        pair = {writer, upstream_writer}
        self._writers |= pair
        await asyncio.gather(_pass_on(reader, upstream_writer), _pass_on(upstream_reader, writer))
        self._writers -= pair

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


@asynccontextmanager
async def unix_proxy(socket: Path, target: Path) -> AsyncIterator[UnixProxy]:
    """Listen at `socket` for what is meant for `target`."""
    proxy = UnixProxy(target)
    server = await asyncio.start_unix_server(proxy.serve, socket)
    try:
        yield proxy
    finally:
        server.close()
        proxy.cut()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
    except ConnectionError:  # cut: the other side hears of it
        writer.transport.abort()
    else:
        writer.close()
