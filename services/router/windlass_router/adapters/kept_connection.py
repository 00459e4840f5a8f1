"""One connection to one HTTP server, kept open, for who asks the same few things again and again.

An HTTP client that can do everything costs more than a millisecond for each question, which is more than Traefik needs
to answer it, and takes the core from which the answer is to come. Requests are sent together and answered in turn, as
HTTP/1.1 has it. Source: https://www.rfc-editor.org/rfc/rfc9112#name-pipelining
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpResponseParser

_FIRST_FINAL_STATUS = 200
_MOST_BYTES = 64 * 1024 * 1024


class NoAnswerError(Exception):
    """The server is not there, hung up, or does not speak HTTP."""


@dataclass(slots=True)
class Answer:
    """What came back; names of headers are in lower case."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)


class KeptConnection:
    """What lies below a URL `http://host:port/path`, without a last slash. Who asks while another does waits."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._place, self._host, self._port = place.netloc, place.hostname or "", place.port or 80
        self._base = place.path
        self._alone = asyncio.Lock()
        self._open: _Conversation | None = None

    async def ask(self, paths: Sequence[str], *, host: str = "", within_s: float) -> list[Answer]:
        """Return the answers to GET requests for these paths, each of them given after the one before.

        `host` is the name to ask for, the server's own without one.

        Raises:
            NoAnswerError: they did not all come, or not in time.
        """
        head = f"HTTP/1.1\r\nHost: {host or self._place}\r\nAccept-Encoding: identity\r\n\r\n"
        request = "".join(f"GET {self._base}{path} {head}" for path in paths).encode()
        async with self._alone:
            try:
                async with asyncio.timeout(within_s):
                    return await (await self._opened()).ask(request, len(paths))
            except OSError as error:  # as TimeoutError is
                raise NoAnswerError(str(error) or "no answer in time") from error
            finally:
                if self._open is not None and not self._open.is_idle:
                    self.close()  # what is still to come would be taken for the answers to the next questions

    def close(self) -> None:
        """Hang up; who asks afterwards connects anew."""
        if self._open is not None:
            self._open.close()
            self._open = None

    async def _opened(self) -> "_Conversation":
        if self._open is None or not self._open.is_idle:  # it was closed by the server meanwhile
            loop = asyncio.get_running_loop()
            _, self._open = await loop.create_connection(_Conversation, self._host, self._port)
        return self._open


class _Conversation(asyncio.Protocol):
    """Requests and their answers on one connection."""

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self._answers: list[Answer] = []
        self._current = Answer()
        self._received = 0
        self._wanted = 0
        self._done: asyncio.Future[list[Answer]] | None = None
        self._lost = False

    @property
    def is_idle(self) -> bool:
        """Whether another request may be sent."""
        return self._done is None and not self._lost

    async def ask(self, request: bytes, wanted: int) -> list[Answer]:
        self._answers, self._received, self._wanted = [], 0, wanted
        self._done = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        answers = await self._done
        self._done = None
        return answers

    def close(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # no subclass of it where the loop is uvloop's

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._received > _MOST_BYTES:
            self._fail("the answer has no end")
            return
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            self._fail(f"the answer is not HTTP: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(str(exc) if exc else "the connection was closed")

    def _fail(self, why: str) -> None:
        self._lost = True
        if self._done is not None and not self._done.done():
            self._done.set_exception(NoAnswerError(why))

    def on_message_begin(self) -> None:
        self._current = Answer()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._current.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._current.body += body

    def on_message_complete(self) -> None:
        self._current.status = self._parser.get_status_code()
        if self._current.status < _FIRST_FINAL_STATUS:
            return
        self._answers.append(self._current)
        if len(self._answers) == self._wanted and self._done is not None and not self._done.done():
            self._done.set_result(self._answers)
