"""The Traefik of an installation: one public entrypoint, its API on loopback under a secret path, no telemetry.

What it routes is the router's business, which writes into the folder that is watched.
"""

import asyncio
import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path

from windlass.up.atomic_file import write_private
from windlass.up.child import Program, ProgramProcess, start_until_ready
from windlass.up.default_certificate import keep_default_certificate
from windlass.up.home import Home
from windlass.up.ports import LOOPBACK
from windlass.up.programs import traefik

_READY_SECONDS = 30.0
_API = "windlass-api"


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

    async def launch(self, inherited: int) -> ProgramProcess:
        """Start it; returns once it listens. The routes of the last run serve at once."""
        write_private(self._config, json.dumps(self._settings(), indent=2))
        # After the router's own file in the order of names; they never change.
        write_private(self.home.routes / "900-api.yml", json.dumps(self._api_route(), indent=2))
        keep_default_certificate(self._certificate)
        write_private(self.home.routes / "910-certificate.yml", json.dumps(self._default_certificate(), indent=2))
        program = Program("Traefik", [traefik(), f"--configFile={self._config}"], self.log)
        return await start_until_ready(program, [inherited], self._answers, _READY_SECONDS)

    @property
    def _config(self) -> Path:
        return self.home.traefik / "traefik.yml"

    @property
    def _certificate(self) -> Path:
        return self.home.traefik / "default-certificate.pem"

    def _settings(self) -> dict[str, object]:
        return {
            "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
            "log": {"level": "WARN", "format": "json"},
            "api": {"dashboard": False},
            "entryPoints": {
                "web": {
                    "address": f"[{self.listen}]:{self.port}" if ":" in self.listen else f"{self.listen}:{self.port}",
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
                "file": {"directory": str(self.home.routes), "watch": True},
            },
        }

    def _api_route(self) -> dict[str, object]:
        """The API through a router of its own; `api.insecure` would answer everybody on this machine."""
        route = {
            "rule": f"PathPrefix({json.dumps(self.api_path)})",
            "service": "api@internal",
            "entryPoints": ["traefik"],
            "middlewares": [_API],
        }
        strip = {"stripPrefix": {"prefixes": [self.api_path]}}
        return {"http": {"routers": {_API: route}, "middlewares": {_API: strip}}}

    def _default_certificate(self) -> dict[str, object]:
        path = str(self._certificate)
        return {"tls": {"stores": {"default": {"defaultCertificate": {"certFile": path, "keyFile": path}}}}}

    async def _answers(self, _pid: int) -> bool:
        try:
            for port in (self.api_port, self.port):
                _, writer = await asyncio.open_connection(
                    _reachable(self.listen) if port == self.port else LOOPBACK, port
                )
                writer.close()
        except ConnectionRefusedError:
            return False
        return True


def _reachable(listen: str) -> str:
    return LOOPBACK if ipaddress.ip_address(listen).is_unspecified else listen
