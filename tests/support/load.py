"""Visitors of one address through the proxy: many short requests, slow ones, an event stream and a WebSocket.

Its rate is bounded, so that it measures the platform and not who gets the machine's cores: all connections together
send 400 requests a second at most, each of them one after the other (as soon as that is answered, if it took longer).
Versions are numbers; whoever deploys them says which one shall answer, before and after: see Turns.
"""

import asyncio
import json
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from support.turns import Turns

CONNECTIONS = 16
REQUESTS_PER_S = 400.0
BETWEEN_SLOW_S = 1.0
BETWEEN_MESSAGES_S = 0.1
SLOW_S = 5
FROZEN_AFTER_S = 3.0
"""A stream that says nothing for so long is lost, though it was not closed."""

_LOST = (OSError, EOFError, TimeoutError, ValueError, WebSocketException)


@dataclass
class Load:
    """What visitors of `host` saw; without turns, no version is wrong."""

    port: int
    host: str
    turns: Turns | None = None
    connections: int = CONNECTIONS
    per_s: float = REQUESTS_PER_S
    """At most so many short requests a second, over all connections together."""
    frozen_after_s: float = FROZEN_AFTER_S
    """A request that has no answer for so long is failed."""
    requests: int = 0
    failed: int = 0
    wrong: int = 0
    slow: int = 0
    long_lost: int = 0
    streams_lost: int = 0
    reasons: list[str] = field(default_factory=list)
    _ending: asyncio.Event = field(default_factory=asyncio.Event)
    _no_more_slow: asyncio.Event = field(default_factory=asyncio.Event)
    _open: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Visit for as long as the block lasts; it begins once the streams are open. Slow requests are waited for."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self.connections):
                tasks.create_task(self._short())
            tasks.create_task(self._slow(tasks))
            streams = (self._events(), self._messages())
            for stream in streams:
                tasks.create_task(self._kept(stream))
            for _ in streams:
                await self._open.acquire()
            try:
                yield
            finally:
                self._ending.set()

    def begin_no_more_slow(self) -> None:
        """Begin no further slow request; those under way go on, and so does all else."""
        self._no_more_slow.set()

    @asynccontextmanager
    async def short(self) -> AsyncIterator[None]:
        """Send short requests alone, for as long as the block lasts."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(CONNECTIONS):
                tasks.create_task(self._short())
            try:
                yield
            finally:
                self._ending.set()

    async def answer(self, path: str = "/") -> str:
        """Return one answer over a connection of its own.

        Raises: OSError, EOFError, ValueError: there was none, or not 200.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            return await self.ask(reader, writer, path)
        finally:
            writer.close()

    async def ask(self, reader: StreamReader, writer: StreamWriter, path: str = "/") -> str:
        """Return the answer to one request on a connection that is kept."""
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = next(int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:"))
        body = (await reader.readexactly(length)).decode()
        if " 200 " not in head.partition("\r\n")[0]:
            raise ValueError(head.partition("\r\n")[0])
        return body

    async def _short(self) -> None:
        """Send requests over one connection; a lost one is a failed request, and another one is opened."""
        while not self._ending.is_set():
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    await self._one_after_the_other(reader, writer)
                finally:
                    writer.close()
            except _LOST as error:
                self.failed += 1
                self.reasons.append(f"request: {error!r}")

    async def _one_after_the_other(self, reader: StreamReader, writer: StreamWriter) -> None:
        loop, seen = asyncio.get_running_loop(), 0
        between_s = self.connections / self.per_s
        while not self._ending.is_set():
            began = loop.time()
            seen = seen if self.turns is None else max(seen, self.turns.confirmed)
            async with asyncio.timeout(self.frozen_after_s):
                version = int(await self.ask(reader, writer))
            self.requests += 1
            seen = self._turn_of(version, seen)
            await asyncio.sleep(max(0.0, between_s - (loop.time() - began)))

    def _turn_of(self, version: int, since: int) -> int:
        """Return whose turn the answer shows it to be; one that was over before is wrong."""
        turn = None if self.turns is None else self.turns.of(version, since)
        if self.turns is not None and turn is None:
            self.wrong += 1
            self.reasons.append(f"version {version} in or after turn {since} of {self.turns.versions}")
        return since if turn is None else turn

    async def _slow(self, tasks: asyncio.TaskGroup) -> None:
        while not (self._ending.is_set() or self._no_more_slow.is_set()):
            tasks.create_task(self._one_slow())
            await asyncio.sleep(BETWEEN_SLOW_S)

    async def _one_slow(self) -> None:
        self.slow += 1
        try:
            async with asyncio.timeout(SLOW_S + FROZEN_AFTER_S):
                said = await self.answer(f"/slow?seconds={SLOW_S}")
            if not said.endswith(" done"):
                raise ValueError(said)
        except _LOST as error:
            self.long_lost += 1
            self.reasons.append(f"slow request: {error!r}")

    async def _kept(self, stream: AsyncGenerator[None, None]) -> None:
        """Follow a stream, which yields at each sign of life, to the end of the load."""
        try:
            async with aclosing(stream):
                await self._next_sign(stream)
                self._open.release()
                while not self._ending.is_set():
                    await self._next_sign(stream)
        except (*_LOST, StopAsyncIteration) as error:
            self.streams_lost += 1
            self.reasons.append(f"stream: {error!r}")
            self._open.release()

    async def _next_sign(self, stream: AsyncGenerator[None, None]) -> None:
        async with asyncio.timeout(FROZEN_AFTER_S):
            await anext(stream)

    async def _events(self) -> AsyncGenerator[None, None]:
        """Yield at each event; they are numbered, and none may be missing."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(f"GET /events HTTP/1.1\r\nHost: {self.host}\r\n\r\n".encode())
            expected = 0
            while line := await reader.readline():
                if line.startswith(b"data: "):
                    if json.loads(line[6:])["number"] != expected:
                        raise ValueError(f"{line!r} where number {expected} should be")
                    expected += 1
                    yield
        finally:
            writer.close()

    async def _messages(self) -> AsyncGenerator[None, None]:
        """Yield each time a message came back."""
        way = connect(
            f"ws://{self.host}/echo",
            host="127.0.0.1",
            port=self.port,
            proxy=None,
            compression=None,
            ping_interval=None,
        )
        async with way as socket:
            for number in count():
                await socket.send(str(number))
                if (said := await socket.recv()) != str(number):
                    raise ValueError(f"{said!r} came back for {number}")
                yield
                await asyncio.sleep(BETWEEN_MESSAGES_S)
