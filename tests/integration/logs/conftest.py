"""Log stores: the real one on its own NATS server, and the one in memory."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from windlass_contracts.ids import DeploymentId, ProjectId, TeamId
from windlass_eventlog.jetstream.connection import Connection, connection
from windlass_eventlog.jetstream.provisioning import provision
from windlass_eventlog.logs.jetstream import JetStreamLogStore
from windlass_eventlog.logs.memory import MemoryLogStore
from windlass_eventlog.logs.port import DeploymentLog, LogStore


@pytest.fixture
def log() -> DeploymentLog:
    return DeploymentLog(TeamId(uuid4()), ProjectId(uuid4()), DeploymentId(uuid4()))


@pytest.fixture
async def nats_connection(nats_server: str) -> AsyncIterator[Connection]:
    await provision(nats_server)
    async with connection(nats_server, "logs") as opened:
        yield opened


@pytest.fixture(params=["memory", "jetstream"])
def store(request: pytest.FixtureRequest) -> LogStore:
    if request.param == "memory":
        return MemoryLogStore()
    return JetStreamLogStore(request.getfixturevalue("nats_connection"))
