"""Many viewers of one live view, in a process of their own: each a bare connection that notes what it is sent."""

import asyncio
import re
import resource
import socket
import time
from array import array
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import cast

import uvloop

_ID = re.compile(rb"\nid: [0-9a-f]+-(\d+)\n")
_TAIL = 64
_AT_ONCE = 50
_PATIENCE_S = 60.0


@dataclass
class Place:
    """Which view, on which port, as whom."""

    port: int
    path: str
    cookie: str

    @property
    def request(self) -> bytes:
        lines = (f"GET /live/{self.path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Cookie: {self.cookie}")
        return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


class Crowd(asyncio.Protocol):
    """One viewer: the sequences of its messages, in order, and when each arrived by the monotonic clock."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._rest = b""
        self.connected = asyncio.Event()
        self._more = asyncio.Event()
        self.closed = False
        self.sequences = array("q")
        self.moments = array("d")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.WriteTransport", transport).write(self._place.request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        if b"event: ping" in data:
            self.connected.set()
        body, end = self._rest + data, 0
        for found in _ID.finditer(body):
            self.sequences.append(int(found[1]))
            self.moments.append(now)
            end = found.end() - 1
        if end:
            self._more.set()
        self._rest = body[max(end, len(body) - _TAIL) :]

    async def reached(self, sequence: int) -> None:
        """Wait until the viewer was sent a sequence."""
        while not self.sequences or self.sequences[-1] < sequence:
            self._more.clear()
            await self._more.wait()

    def connection_lost(self, _: Exception | None) -> None:
        self.closed = True
        self.connected.set()


@dataclass(frozen=True)
class Seen:
    """What one viewer was sent."""

    sequences: Sequence[int]
    moments: Sequence[float]


def raise_file_limit(files: int) -> None:
    """Allow this process so many open files, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = files if hard == resource.RLIM_INFINITY else min(files, hard)
    if soft != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def watch(place: Place, viewers: int, control: Connection) -> None:
    """Connect, say so, and once told of the last sequence, answer what each viewer saw until it had that one."""
    raise_file_limit(viewers + 200)
    uvloop.run(_watch(place, viewers, control))


async def _watch(place: Place, viewers: int, control: Connection) -> None:
    loop = asyncio.get_running_loop()
    crowd: list[Crowd] = []
    while len(crowd) < viewers:
        more = [Crowd(place) for _ in range(min(_AT_ONCE, viewers - len(crowd)))]
        for one in more:
            await loop.create_connection(lambda one=one: one, sock=_socket(place.port))  # type: ignore[misc]
        await asyncio.gather(*(one.connected.wait() for one in more))
        crowd += more
    control.send(sum(not one.closed for one in crowd))
    last = await loop.run_in_executor(None, control.recv)
    with suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE_S):
            for one in crowd:
                await one.reached(last)
    control.send([Seen(one.sequences, one.moments) for one in crowd])


def _socket(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.settimeout(0)
    return connection
