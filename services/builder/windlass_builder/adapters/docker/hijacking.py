"""The connection that the engine hands over when somebody attaches to a container.

aiodocker has one too, over the HTTP client's protocol: that one reports the end of what comes in only once all is sent
that goes out, which never is where a command takes no more input.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus

import aiohttp
from aiodocker import Docker, DockerError

_UPGRADE = {"Connection": "Upgrade", "Upgrade": "tcp"}
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_read=None, sock_connect=5)
_WAITING_BYTES = 64 * 1024


class _Feeder:
    """Takes what the HTTP client has read behind its answer."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self._reader.feed_data(data)
        return False, b""

    def feed_eof(self) -> None:
        self._reader.feed_eof()

    def set_exception(self, error: BaseException, *_: object) -> None:
        self._reader.feed_eof()
        del error


class Hijacked:
    """An open connection; both directions end apart. Close it."""

    def __init__(
        self, answer: aiohttp.ClientResponse, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._answer = answer
        self.reader = reader
        self.writer = writer

    async def close(self) -> None:
        """Close it at once, whatever is still to be sent: nobody takes it any more."""
        self.writer.transport.abort()
        self._answer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


async def hijacked(docker: Docker, path: str, parameters: Mapping[str, str]) -> Hijacked:
    """Ask for a connection by POST.

    Raises: DockerError, aiohttp.ClientError.
    """
    url = f"{docker.docker_host}/{docker.api_version}/{path}"
    answer = await docker.session.post(url, params=parameters, headers=_UPGRADE, timeout=_NO_TIMEOUT)
    if answer.status != HTTPStatus.SWITCHING_PROTOCOLS or answer.connection is None:
        try:
            raise DockerError(answer.status, (await answer.json())["message"])
        finally:
            answer.close()
    reader = asyncio.StreamReader(_WAITING_BYTES)
    before, transport = answer.connection.protocol, answer.connection.transport
    if before is None or transport is None:
        raise aiohttp.ClientConnectionError("The engine closed the connection.")
    before.set_parser(_Feeder(reader), reader)
    protocol = asyncio.StreamReaderProtocol(reader)
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    if not transport.is_reading():
        transport.resume_reading()
    return Hijacked(answer, reader, asyncio.StreamWriter(transport, protocol, reader, asyncio.get_running_loop()))
