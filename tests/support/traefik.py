"""A real Traefik that watches the file in a folder, as `windlass up` configures it, and backends to route to."""

import asyncio
import json
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from support.ports import free_port
from support.server_process import ServerCommand, ServerProcess
from windlass.up.default_certificate import keep_default_certificate
from windlass.up.programs import traefik
from windlass.up.traefik import METRICS
from windlass_router.adapters.routes_file import FILE

MARKER_PATH = "/a-secret-path-of-tests"
_CERTIFICATE = Path(tempfile.gettempdir()) / f"windlass-tests-{os.getuid()}-certificate.pem"
_PAIR = {"certFile": str(_CERTIFICATE), "keyFile": str(_CERTIFICATE)}
_API = {"rule": 'PathPrefix("/api")', "service": "api@internal", "entryPoints": ["traefik"]}
_METRICS = {
    "rule": 'Path("/metrics")',
    "service": "prometheus@internal",
    "entryPoints": ["traefik"],
    "priority": 10_000,
}
BASE = {
    "http": {"routers": {"windlass-api": _API, "windlass-metrics": _METRICS}},
    "tls": {
        "stores": {"default": {"defaultCertificate": {"certFile": str(_CERTIFICATE), "keyFile": str(_CERTIFICATE)}}}
    },
}
"""What each of the router's files contains, too."""
_READY = b"Starting provider aggregator"  # logged once it listens


@dataclass(frozen=True)
class TraefikServer:
    """Where it listens; `folder` has the file that it watches."""

    folder: Path
    port: int
    api_port: int
    process: ServerProcess

    @property
    def base(self) -> Path:
        """What each of the router's files contains, too."""
        return self.folder.parent / "base.json"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it do nothing for as long as the block lasts, which begins once all its threads stand still."""
        os.kill(self.process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)


@contextmanager
def running_traefik(folder: Path, name: str = "traefik", throttle: str = "0s") -> Iterator[TraefikServer]:
    """Run a Traefik on the folder's file for as long as the block lasts; several may watch the same one."""
    port, api_port = free_port(), free_port()
    config = folder.parent / f"{name}.json.yml"
    config.write_text(json.dumps(_settings(folder, port, api_port, throttle)))
    log = folder.parent / f"{name}.log"
    _begin(folder / FILE)
    command = ServerCommand(["/bin/sh", "-c", f"exec {traefik()} --configFile={config} 1>&2"], _READY, log)
    with ServerProcess(command) as process:
        yield TraefikServer(folder, port, api_port, process)


def _begin(file: Path) -> None:
    """Let there be something that it can start with."""
    keep_default_certificate(_CERTIFICATE)
    (file.parent.parent / "base.json").write_text(json.dumps(BASE))
    if not file.exists():
        file.write_text(json.dumps(BASE))


def _settings(folder: Path, port: int, api_port: int, throttle: str) -> dict[str, object]:
    return {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "INFO", "format": "json"},
        "api": {"dashboard": False},
        "metrics": METRICS,
        "entryPoints": {
            "web": {
                "address": f"127.0.0.1:{port}",
                "http": {"aliasHeadersStrategy": "delete"},
                "transport": {"lifeCycle": {"graceTimeOut": "0s"}},
            },
            "traefik": {"address": f"127.0.0.1:{api_port}", "http": {"aliasHeadersStrategy": "delete"}},
        },
        "providers": {"providersThrottleDuration": throttle, "file": {"filename": str(folder / FILE), "watch": True}},
    }


class _Word(asyncio.Protocol):
    """Answers each request, which has no body, with one word over a connection that is kept."""

    def __init__(self, says: str, open_now: set[asyncio.Transport]) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(says)}\r\n\r\n"
        self._answer = (head + says).encode()
        self._open_now = open_now
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # no subclass of it where the loop is uvloop's
        self._open_now.add(self._transport)

    def data_received(self, data: bytes) -> None:
        *requests, self._received = (self._received + data).split(b"\r\n\r\n")
        self._transport.write(self._answer * len(requests))

    def connection_lost(self, _: Exception | None) -> None:
        self._open_now.discard(self._transport)


@asynccontextmanager
async def backend(says: str) -> AsyncIterator[tuple[str, int]]:
    """Yield the address of an HTTP/1.1 server that answers every request with a word; it stops within no time."""
    open_now: set[asyncio.Transport] = set()
    server = await asyncio.get_running_loop().create_server(lambda: _Word(says, open_now), "127.0.0.1")
    try:
        yield server.sockets[0].getsockname()
    finally:
        server.close()
        for transport in tuple(open_now):
            transport.abort()
