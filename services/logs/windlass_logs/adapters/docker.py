"""The output of containers, from a Docker engine whose log driver is `local` in blocking mode."""

import asyncio
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from datetime import datetime
from http import HTTPStatus

import aiohttp
import structlog
from aiodocker import Docker, DockerError

from windlass_logs.application.log_source import Position, SourceLine, Stream

_log = structlog.get_logger()

_FRAGMENT = 16 * 1024
_LONGEST_LINE = 2**20
_NANOSECONDS = 1_000_000_000
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 5.0
# https://docs.docker.com/engine/api/v1.41/#tag/Container/operation/ContainerAttach, "Stream format"
_HEADER = struct.Struct(">BxxxL")
_STREAMS = {1: Stream.OUT, 2: Stream.ERR}
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_read=None, sock_connect=5)


class DockerLogSource:
    """`LogSource` of the engine at `url`, or of the local one without it."""

    def __init__(self, url: str | None = None) -> None:
        self._url = url

    async def follow(self, runner: str, after: Position | None = None) -> AsyncGenerator[SourceLine, None]:
        wait = _FIRST_WAIT
        while True:
            try:
                async with Docker(url=self._url, timeout=_NO_TIMEOUT) as docker:
                    began_after = after
                    async with aclosing(_read(docker, runner, after)) as lines:
                        async for line in lines:
                            after = line.position
                            wait = _FIRST_WAIT
                            yield line
                    # The engine may end its answer with a container that ends, and before its last lines.
                    if after == began_after and not await _runs_again(docker, runner):
                        return
            except (DockerError, aiohttp.ClientError, asyncio.IncompleteReadError) as error:
                # An engine that is down cannot call when it is back: there is only asking again.
                await _log.awarning("The output of a runner broke off, asking again", runner=runner, reason=str(error))
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT)


async def _read(docker: Docker, runner: str, after: Position | None) -> AsyncGenerator[SourceLine, None]:
    """Yield the lines after the position until the container stops.

    `since` includes the very nanosecond that it names, so that the lines already seen come again and are skipped.
    """
    assembler = _Assembler()
    async for stream, fragment in _fragments(docker, runner, after.time_ns if after else 0):
        line = assembler.add(stream, fragment)
        if line is not None and (after is None or line.position > after):
            yield line
    # Reached when the container has stopped, never when the connection broke: what has no end gets none any more.
    for line in assembler.rest():
        if after is None or line.position > after:
            yield line


async def _fragments(docker: Docker, runner: str, since_ns: int) -> AsyncIterator[tuple[Stream, bytes]]:
    """Yield what the engine sends: a time, a space, and a line or 16 KiB of one, which then lacks its end."""
    # aiodocker's own reader drops the number of the stream and the bytes that are no UTF-8.
    parameters = {
        "follow": "1",
        "stdout": "1",
        "stderr": "1",
        "timestamps": "1",
        "since": f"{since_ns // _NANOSECONDS}.{since_ns % _NANOSECONDS:09}",
    }
    await docker.version()  # settles the version of the API
    url = f"{docker.docker_host}/{docker.api_version}/containers/{runner}/logs"
    async with docker.session.get(url, params=parameters, timeout=_NO_TIMEOUT) as answer:
        if answer.status == HTTPStatus.NOT_FOUND:
            return
        answer.raise_for_status()
        while header := await _exactly(answer.content, _HEADER.size):
            number, length = _HEADER.unpack(header)
            yield _STREAMS[number], await answer.content.readexactly(length)


async def _exactly(content: aiohttp.StreamReader, length: int) -> bytes:
    """Return that many bytes, none at the end."""
    try:
        return await content.readexactly(length)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return b""


class _Assembler:
    """Joins the fragments of each stream to lines, and numbers the lines of one nanosecond."""

    def __init__(self) -> None:
        self._open: dict[Stream, tuple[int, bytes]] = {}
        self._last = Position(0, 0)

    def add(self, stream: Stream, fragment: bytes) -> SourceLine | None:
        """Return the line that the fragment completes, if it does."""
        stamp, _, text = fragment.partition(b" ")
        time_ns, begun = self._open.pop(stream, (_nanoseconds(stamp), b""))
        # The end of a long line comes without a line end from the driver `local`: it is known by being short.
        continues = len(text) == _FRAGMENT and not text.endswith(b"\n")
        text = begun + text
        if continues and len(text) < _LONGEST_LINE:
            self._open[stream] = (time_ns, text)
            return None
        return self._line(stream, time_ns, text.removesuffix(b"\n").removesuffix(b"\r"))

    def rest(self) -> Iterator[SourceLine]:
        """Yield what was written without a line end, once nothing more comes."""
        for stream, (time_ns, text) in self._open.items():
            yield self._line(stream, time_ns, text)

    def _line(self, stream: Stream, time_ns: int, text: bytes) -> SourceLine:
        ordinal = self._last.ordinal + 1 if time_ns == self._last.time_ns else 0
        self._last = Position(time_ns, ordinal)
        return SourceLine(self._last, stream, text)


def _nanoseconds(stamp: bytes) -> int:
    """Return the engine's time (RFC 3339 in UTC, nanoseconds) as nanoseconds since 1970."""
    seconds, _, fraction = stamp.decode().removesuffix("Z").partition(".")
    whole = int(datetime.fromisoformat(f"{seconds}+00:00").timestamp())
    return whole * _NANOSECONDS + int(f"{fraction:0<9}")


async def _runs_again(docker: Docker, runner: str) -> bool:
    """Return whether the container, whose output has ended, writes again; wait until it is started, or gone."""
    subscription = docker.events.subscribe(create_task=False)
    filters = {"type": ["container"], "container": [runner], "event": ["start", "destroy"]}
    following = asyncio.create_task(docker.events.run(filters=filters))
    try:
        while True:
            state = await _state(docker, runner)
            if state in {None, "running", "paused"}:
                return state is not None
            event = await subscription.get()
            if event is None:  # the connection ended: look again from the start
                return True
    finally:
        following.cancel()
        await asyncio.wait([following])


async def _state(docker: Docker, runner: str) -> str | None:
    try:
        status: str = (await docker.containers.container(runner).show())["State"]["Status"]
    except DockerError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return None
        raise
    return status
