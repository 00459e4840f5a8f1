"""Probes over a bare protocol: no stream, buffer or task stands between the socket and what waits for the answer.

2,000 targets every 5 s are 400 connections a second; over asyncio's streams each cost a quarter more, with an HTTP
client several times as much. One connection is both the try whether the port is open and the probe itself, so that an
app is asked the moment it listens. Redirects are answers, and never followed. `Host` is `localhost`: the name that
frameworks with a list of allowed hosts allow by default. The answer is read as far as its status, its body never.
"""

import asyncio
from functools import lru_cache, partial
from ipaddress import ip_address
from typing import cast

from windlass_contracts.config import CommandProbe, HttpProbe, Probe, TcpProbe
from windlass_monitor.adapters.answer_head import AnswerHead, NotHttpError
from windlass_monitor.application.prober import Prober, Target
from windlass_monitor.domain.outcomes import (
    Answered,
    Connected,
    NoAnswer,
    NotHttp,
    NotListening,
    Outcome,
    Unreachable,
    Unsupported,
)

_REMEMBERED = 4_096


class StreamProber(Prober):
    """Probes over TCP from this process; `commands` probes by commands, where the runtime can run them."""

    def __init__(self, commands: Prober | None = None) -> None:
        self._commands = commands

    async def probe(self, target: Target, probe: Probe) -> Outcome:
        if isinstance(probe, CommandProbe):
            return Unsupported() if self._commands is None else await self._commands.probe(target, probe)
        return await _asked(target, probe)


async def _asked(target: Target, probe: HttpProbe | TcpProbe) -> Outcome:
    started = asyncio.get_running_loop().time()
    asking: _Asking | None = None
    try:
        async with asyncio.timeout_at(started + probe.timeout_ms / 1_000):
            asking = await _connect(target, probe)
            if isinstance(probe, TcpProbe):
                return Connected(_milliseconds_since(started))
            status = await asking.status
        return NotHttp() if status is None else Answered(status, _milliseconds_since(started))
    except ConnectionRefusedError:
        return NotListening()
    except TimeoutError:
        return Unreachable() if asking is None else NoAnswer()
    except (OSError, ValueError):  # no route, or no address at all
        return Unreachable()
    finally:
        if asking is not None:
            asking.transport.abort()


async def _connect(target: Target, probe: HttpProbe | TcpProbe) -> "_Asking":
    """Connect to an address written as an address, and ask; no name is ever looked up.

    Raises:
        ValueError: it is none.
        OSError: it cannot be reached, or refuses.
    """
    loop = asyncio.get_running_loop()
    request = _request(probe.path) if isinstance(probe, HttpProbe) else b""
    made = partial(_Asking, request, loop.create_future())
    _, asking = await loop.create_connection(made, _checked(target.address), target.port)
    return asking


@lru_cache(_REMEMBERED)
def _checked(address: str) -> str:
    """Return an address in its shortest form.

    Raises:
        ValueError: it is none.
    """
    return str(ip_address(address))


@lru_cache(_REMEMBERED)
def _request(path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: windlass-probe\r\nAccept: */*\r\n"
        "Connection: close\r\n\r\n"
    ).encode()


class _Asking(asyncio.Protocol):
    """Sends a request as soon as it is connected; `status` is that of the answer, None where it is not HTTP."""

    __slots__ = ("_head", "_request", "status", "transport")

    def __init__(self, request: bytes, status: asyncio.Future[int | None]) -> None:
        self.status = status
        self._request = request
        self._head = AnswerHead()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # no subclass of it where the loop is uvloop's
        if self._request:
            self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self.status.done():
            return
        try:
            status = self._head.status_after(data)
        except NotHttpError:
            self.status.set_result(None)
        else:
            if status is not None:
                self.status.set_result(status)

    def connection_lost(self, _: Exception | None) -> None:
        if not self.status.done():
            self.status.set_result(None)


def _milliseconds_since(started: float) -> int:
    return round((asyncio.get_running_loop().time() - started) * 1_000)
