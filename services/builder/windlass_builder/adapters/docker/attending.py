"""What a container writes until it ends."""

import asyncio
import struct
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import aiohttp
from aiodocker import Docker, DockerError

from windlass_builder.adapters.output import LineAssembler
from windlass_builder.application.runtime import OutputSink
from windlass_builder.domain.workloads import OutputLine, OutputStream

# https://docs.docker.com/engine/api/v1.41/#tag/Container/operation/ContainerAttach, "Stream format"
_HEADER = struct.Struct(">BxxxL")
_STREAMS = {1: OutputStream.STDOUT, 2: OutputStream.STDERR}
# The driver `local` cuts longer lines; the last piece of a cut line comes without a line end, and is known by its size.
_FRAGMENT = 16 * 1024
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_read=None, sock_connect=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS = 1_000_000_000


async def pass_on(docker: Docker, container: str, output: OutputSink, after: datetime | None) -> None:
    """Pass on what the container writes, behind that time where one is given, until it has ended.

    Raises: DockerError, aiohttp.ClientError.
    """
    # The whole microsecond is known already: nobody keeps a finer time.
    seen = -1 if after is None else (after - _EPOCH) // timedelta(microseconds=1) * 1_000 + 999
    seen = await _pass_on(docker, container, output, seen, follow=True)
    await docker.containers.container(container).wait()
    # The engine may end its answer with a container that ends, and before its last lines.
    await _pass_on(docker, container, output, seen, follow=False)


async def _pass_on(docker: Docker, container: str, output: OutputSink, seen: int, *, follow: bool) -> int:
    """Pass on the lines behind the nanosecond `seen`, and return that of the last one."""
    assembler, last, stamp = LineAssembler(), seen, seen
    async for stream, stamp, text in _fragments(docker, container, max(seen, 0), follow=follow):
        if stamp <= seen:
            continue
        last = stamp
        for line in assembler.feed(stream, text):
            await output(_at(stamp, line))
    for line in assembler.rest():
        await output(_at(stamp, line))
    return last


async def _fragments(
    docker: Docker, container: str, since: int, *, follow: bool
) -> AsyncIterator[tuple[OutputStream, int, bytes]]:
    """Yield what the engine sends, each with its nanosecond: a line, or 16 KiB of one, which then lacks its end."""
    # aiodocker's own reader drops the number of the stream and the bytes that are no UTF-8.
    parameters = {
        "follow": str(int(follow)),
        "stdout": "1",
        "stderr": "1",
        "timestamps": "1",
        "since": f"{since // _NANOSECONDS}.{since % _NANOSECONDS:09}",
    }
    url = f"{docker.docker_host}/{docker.api_version}/containers/{container}/logs"
    async with docker.session.get(url, params=parameters, timeout=_NO_TIMEOUT) as answer:
        if answer.status != HTTPStatus.OK:
            raise DockerError(answer.status, (await answer.json())["message"])
        while header := await _header(answer.content):
            number, length = _HEADER.unpack(header)
            stamp, _, text = (await answer.content.readexactly(length)).partition(b" ")
            whole = text.endswith(b"\n") or len(text) == _FRAGMENT
            yield _STREAMS[number], _nanoseconds(stamp), text if whole else text + b"\n"


async def _header(content: aiohttp.StreamReader) -> bytes:
    """Return the header of the next fragment, nothing at the end."""
    try:
        return await content.readexactly(_HEADER.size)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return b""


def _nanoseconds(stamp: bytes) -> int:
    """Return the engine's time (RFC 3339 in UTC, nanoseconds) as nanoseconds since 1970."""
    seconds, _, fraction = stamp.decode().removesuffix("Z").partition(".")
    whole = int(datetime.fromisoformat(f"{seconds}+00:00").timestamp())
    return whole * _NANOSECONDS + int(f"{fraction:0<9}")


def _at(nanosecond: int, line: OutputLine) -> OutputLine:
    return replace(line, time=_EPOCH + timedelta(microseconds=nanosecond // 1_000))
