"""The environment that each service gets: what it needs, and no other service's secrets."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from windlass.up.blueprint import Runtime
from windlass.up.credentials import Credentials
from windlass.up.home import Home
from windlass.up.installation import Installation, open_installation
from windlass.up.nats_keys import keep_nats_keys
from windlass.up.nats_server import NatsServer
from windlass.up.ports import Ports
from windlass.up.postgres import Postgres
from windlass.up.session_keys import keep_session_keys
from windlass.up.traefik import Traefik
from windlass_eventlog.rights import PROVISIONER

_SHARED = "builder"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that settings are made from."""

    home: Home
    installation: Installation
    credentials: Credentials
    ports: Ports
    nats: NatsServer
    postgres: Postgres
    traefik: Traefik
    runtime: Runtime
    builders: int = 1

    @classmethod
    def of(cls, home: Home, listen: str, ports: Ports, runtime: Runtime, builders: int = 1) -> "Surroundings":
        """Open the installation in `home`, or make it, and say where each of its servers is.

        Raises:
            UpError: the state is damaged, or a server cannot run on this machine.
        """
        installation, credentials = open_installation(home)
        keep_session_keys(home, datetime.now(UTC))
        return cls(
            home=home,
            installation=installation,
            credentials=credentials,
            ports=ports,
            nats=NatsServer.of(home, installation.id, ports.nats, keep_nats_keys(home)),
            postgres=Postgres.of(home, installation.id, credentials),
            traefik=Traefik(home, listen, ports.public, ports.traefik_api, credentials.traefik_api_path),
            runtime=runtime,
            builders=builders,
        )

    def settings_of(self, service: str) -> dict[str, str]:
        """Return the service's settings as environment variables."""
        database_url = self.postgres.url(service)
        return {**self._common(service), "WINDLASS_DATABASE_URL": database_url, **self._own.get(service, {})}

    def processes_of(self, service: str) -> dict[str, dict[str, str]]:
        """Return the service's processes, with what each is told: one, but for the builders that share their work."""
        settings, number = self.settings_of(service), self.builders if service == _SHARED else 1
        first, *others = ({**settings, "WINDLASS_BUILDER": str(builder)} for builder in range(1, number + 1))
        return {service: first, **{f"{service}-{builder}": told for builder, told in enumerate(others, 2)}}

    @property
    def provisioning(self) -> dict[str, str]:
        """What the job is told that makes streams and consumers."""
        return self._common(PROVISIONER)

    def _common(self, user: str) -> dict[str, str]:
        """Return what every service and job is told, and who it is to the NATS server."""
        return {
            "WINDLASS_INSTALLATION": self.installation.id,
            "WINDLASS_TEAM": str(self.installation.team),
            "WINDLASS_NODE": self.installation.node,
            "WINDLASS_HOME": str(self.home.root),
            "WINDLASS_NATS_URL": self.nats.url,
            "WINDLASS_NATS_SEED_FILE": str(self.home.nats_seed(user)),
            "WINDLASS_SECRETS_KEYS_FILE": str(self.home.secrets_keys),
            "WINDLASS_RUNTIME": self.runtime,
            "WINDLASS_DOMAIN": "localhost",
            "WINDLASS_HTTP_PORT": str(self.ports.public),
        }

    @property
    def _local_repositories(self) -> str:
        """The folders whose repositories may be deployed: what the shell that started us names, and the examples."""
        named = os.environ.get("WINDLASS_LOCAL_REPOSITORIES", "")
        return ":".join(filter(None, (named, str(self.home.root / "examples"))))

    @property
    def _own(self) -> Mapping[str, Mapping[str, str]]:
        return {
            "builder": {
                "WINDLASS_LOCAL_REPOSITORIES": self._local_repositories,
                "WINDLASS_BUILDERS": str(self.builders),
            },
            "gateway": {
                "WINDLASS_GATEWAY_PORT": str(self.ports.gateway),
                "WINDLASS_API_TOKEN_SHA256": self.credentials.api_token_sha256,
                "WINDLASS_SESSION_KEYS_FILE": str(self.home.session_keys),
                "WINDLASS_WEBHOOK_KEY": self.credentials.webhook_key,
            },
            "monitor": {"WINDLASS_TRAEFIK_API_URL": self.traefik.api_url},  # it counts answers
            "router": {
                "WINDLASS_GATEWAY_PORT": str(self.ports.gateway),  # it routes the dashboard's own host
                "WINDLASS_TRAEFIK_DIR": str(self.home.routes),
                "WINDLASS_TRAEFIK_BASE": str(self.traefik.base),
                "WINDLASS_TRAEFIK_API_URL": self.traefik.api_url,
                "WINDLASS_TRAEFIK_URL": self.traefik.url,
                "WINDLASS_MARKER_PATH": self.credentials.marker_path,
            },
        }
