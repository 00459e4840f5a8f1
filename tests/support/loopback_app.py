"""Small servers on loopback that behave as apps do, well and badly: each sends its bytes and hangs up, or does not."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


def http(status: int, extra: str = "") -> bytes:
    """Return an answer with a status, further header lines and a small body."""
    return f"HTTP/1.1 {status} Said So\r\nContent-Length: 2\r\n{extra}\r\nok".encode()


@dataclass
class LoopbackApp:
    """Answers whatever it is asked with `answer`; None stays silent. `heads` are the requests that it got."""

    answer: bytes | None
    port: int = 0
    heads: list[bytes] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Yield the port, one of its own unless it was given one."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self.port
        finally:
            server.close()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            self.heads.append(await reader.readuntil(b"\r\n\r\n"))
            self.asked.set()
            if self.answer is None:
                await reader.read()
            else:
                writer.write(self.answer)
                await writer.drain()
        except (ConnectionError, EOFError):
            return  # whoever probes may hang up at any moment
        finally:
            writer.close()
