"""The Traefik of an installation: one public entrypoint, its API on loopback under a secret path, no telemetry.

What it routes is the router's business, which writes the one file that is watched: what is here goes into it, too.
One file, and not the folder: Traefik keeps its routes while a file is missing or unreadable, and forgets those that
are missing in a folder.
"""

import asyncio
import ipaddress
import json
import socket
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from windlass.up.atomic_file import write_private
from windlass.up.child import Program, ProgramProcess, start_until_ready
from windlass.up.default_certificate import keep_default_certificate
from windlass.up.front_door import FrontDoor
from windlass.up.home import Home
from windlass.up.ports import LOOPBACK
from windlass.up.programs import traefik

_READY_SECONDS = 60.0
_CONNECT_SECONDS, _ANSWER_SECONDS = 0.25, 5.0
_API, _METRICS, _READY = "windlass-api", "windlass-metrics", "windlass-ready"
METRICS = {
    "prometheus": {
        "addEntryPointsLabels": False,
        "addRoutersLabels": False,
        "addServicesLabels": True,
        "buckets": [1.0],
        "manualRouting": True,
    }
}
"""What it counts for the monitor: answers by service and code. One bucket is the least that it takes."""
_COUNTERS_PRIORITY = 10_000
_READY_HOST, _READY_ANSWER = "_ready.invalid", b"HTTP/1.1 418 "  # nobody's host; `noop@internal` answers so
_STATUS_LINE = 64
_ROUTES = "000-routes.yml"
"""The router's file; it keeps the last one that was confirmed beside the folder."""


@dataclass(frozen=True, slots=True)
class Traefik:
    """Where it listens: `listen` is the address of the public port."""

    home: Home
    listen: str
    port: int
    api_port: int
    api_path: str

    @property
    def api_url(self) -> str:
        """Its API: the path is secret, for other programs on this machine reach loopback too."""
        return f"http://{LOOPBACK}:{self.api_port}{self.api_path}"

    @property
    def url(self) -> str:
        """How this machine reaches the public port."""
        address = ipaddress.ip_address(self.listen)
        if address.is_unspecified:
            return f"http://{LOOPBACK}:{self.port}"
        return f"http://[{address}]:{self.port}" if address.version == 6 else f"http://{address}:{self.port}"  # noqa: PLR2004

    @property
    def log(self) -> Path:
        return self.home.log("traefik")

    async def launch(self, inherited: int, door: FrontDoor) -> ProgramProcess:
        """Start it, and open the door once it has read its routes: it listens before, and would answer 404."""
        door.shut()
        write_private(self._config, json.dumps(self._settings(share_port=door.is_shared), indent=2))
        keep_default_certificate(self._certificate)
        write_private(self.base, json.dumps(self.base_document(), indent=2))
        self._see_to_routes()
        program = Program("Traefik", [traefik(), f"--configFile={self._config}"], self.log)
        process = await start_until_ready(program, [inherited], partial(self._is_ready, door), _READY_SECONDS)
        door.open()
        return process

    @property
    def base(self) -> Path:
        """What each of the router's files has to contain beside its routes."""
        return self.home.traefik / "base.json"

    def _see_to_routes(self) -> None:
        """Leave no file that Traefik could not start with: it would not look at it again."""
        last_good = self.home.traefik / f"{_ROUTES}.last-good"
        for path in (self._routes, last_good, self.base):
            if path.exists() and _is_document(text := path.read_text(errors="replace")):
                if path != self._routes:
                    write_private(self._routes, text)
                return

    @property
    def _routes(self) -> Path:
        return self.home.routes / _ROUTES

    @property
    def _config(self) -> Path:
        return self.home.traefik / "traefik.yml"

    @property
    def _certificate(self) -> Path:
        return self.home.traefik / "default-certificate.pem"

    def _settings(self, *, share_port: bool) -> dict[str, object]:
        return {
            "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
            "log": {"level": "WARN", "format": "json"},
            "api": {"dashboard": False},
            "metrics": METRICS,
            "entryPoints": {
                "web": {
                    "address": f"[{self.listen}]:{self.port}" if ":" in self.listen else f"{self.listen}:{self.port}",
                    "reusePort": share_port,
                    # X_Forwarded_For and the like would be read by many apps as the header that we set.
                    "http": {"aliasHeadersStrategy": "delete"},
                    "transport": {
                        "lifeCycle": {"graceTimeOut": "2s"},  # event streams stay open until they are cut
                        "respondingTimeouts": {"readTimeout": "10m"},  # the default cuts uploads after one minute
                    },
                },
                "traefik": {"address": f"{LOOPBACK}:{self.api_port}", "http": {"aliasHeadersStrategy": "delete"}},
            },
            "providers": {
                "providersThrottleDuration": "0s",  # the router gathers its changes itself
                "file": {"filename": str(self._routes), "watch": True},
            },
        }

    def base_document(self) -> dict[str, Any]:
        """The API and the counters through routers of their own, for else they would answer everybody on this machine.

        What tells that the public entry point has all routes: those of the file come at once or not at all. And a
        certificate, see docs/decisions/0013-default-certificate.md.
        """
        api = {
            "rule": f"PathPrefix({json.dumps(self.api_path)})",
            "service": "api@internal",
            "entryPoints": ["traefik"],
            "middlewares": [_API],
        }
        metrics = {
            "rule": f"Path({json.dumps(f'{self.api_path}/metrics')})",
            "service": "prometheus@internal",
            "entryPoints": ["traefik"],
            "priority": _COUNTERS_PRIORITY,
        }
        ready = {"rule": f'Host("{_READY_HOST}")', "service": "noop@internal", "entryPoints": ["web"]}
        strip = {"stripPrefix": {"prefixes": [self.api_path]}}
        certificate = {"certFile": str(self._certificate), "keyFile": str(self._certificate)}
        return {
            "http": {"routers": {_API: api, _METRICS: metrics, _READY: ready}, "middlewares": {_API: strip}},
            "tls": {"stores": {"default": {"defaultCertificate": certificate}}},
        }

    async def _is_ready(self, door: FrontDoor, _pid: int) -> bool:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                _, api = await asyncio.open_connection(LOOPBACK, self.api_port)
                api.close()
                return await self._has_routes(door)
        except (OSError, TimeoutError):
            return False

    async def _has_routes(self, door: FrontDoor) -> bool:
        """Ask at the public port, where the door is open for this connection alone."""
        loop, address = asyncio.get_running_loop(), _reachable(self.listen)
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            probe.settimeout(0)
            probe.bind((address, 0))
            door.open_for(probe.getsockname()[:2])
            async with asyncio.timeout(_CONNECT_SECONDS):  # at the door it would wait for a second
                await loop.sock_connect(probe, (address, self.port))
            await loop.sock_sendall(probe, f"GET / HTTP/1.1\r\nHost: {_READY_HOST}\r\n\r\n".encode())
            answer = await loop.sock_recv(probe, _STATUS_LINE)
        return answer.startswith(_READY_ANSWER)


def _is_document(text: str) -> bool:
    """Tell whether it is JSON of the kind that the router writes, which is YAML, too."""
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _reachable(listen: str) -> str:
    return LOOPBACK if ipaddress.ip_address(listen).is_unspecified else listen
