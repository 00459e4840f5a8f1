"""A provisioned NATS server, one that can be killed and started again, and a service's settings."""

import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from support.nats import nats_command, seed_of
from support.server_process import ServerCommand, ServerProcess
from windlass_contracts.ids import TeamId
from windlass_contracts.subjects import Service
from windlass_eventlog.jetstream.connection import Connection, connection
from windlass_eventlog.jetstream.log import JetStreamLog
from windlass_eventlog.jetstream.provisioning import provision
from windlass_eventlog.settings import CommonSettings

INSTALLATION = "0a1b2c3d"


@dataclass
class RestartableNats:
    """A server on a fixed port and folder."""

    url: str
    command: ServerCommand
    _process: ServerProcess | None = field(default=None)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        self._process = ServerProcess(self.command)
        self._process.__enter__()

    def kill(self) -> None:
        """Kill it as a power failure would, and wait for its end."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.__exit__()


@pytest.fixture
def restartable_nats(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[RestartableNats]:
    port = free_port()
    server = RestartableNats(f"nats://127.0.0.1:{port}", nats_command(tmp_path, port))
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def provisioned(nats_url: str) -> str:
    """Return the URL of a server that has all streams, buckets and consumers."""
    await provision(nats_url)
    return nats_url


@pytest.fixture
async def link(provisioned: str) -> AsyncIterator[Connection]:
    async with connection(provisioned, "test") as opened:
        yield opened


@pytest.fixture
def log(link: Connection) -> JetStreamLog:
    return JetStreamLog(link, INSTALLATION)


@pytest.fixture
def settings(provisioned: str, database_url: str, tmp_path: Path) -> CommonSettings:
    return settings_for(provisioned, database_url, tmp_path)


@pytest.fixture
def router_settings(provisioned: str, database_url: str, tmp_path: Path) -> CommonSettings:
    return settings_for(provisioned, database_url, tmp_path, Service.ROUTER)


def settings_for(nats_url: str, database_url: str, folder: Path, service: Service = Service.GATEWAY) -> CommonSettings:
    keys = folder / "keys"
    keys.write_bytes(Fernet.generate_key())
    return CommonSettings(
        installation=INSTALLATION,
        team=TeamId(uuid4()),
        node="node-1",
        home=folder,
        nats_url=SecretStr(nats_url),
        nats_seed_file=seed_of(service, folder),
        database_url=SecretStr(database_url),
        secrets_keys_file=keys,
    )
