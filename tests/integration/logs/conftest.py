"""Log stores: the real one on its own NATS server, and the one in memory."""

from collections.abc import AsyncIterator
from uuid import uuid4

import nats
import pytest
from nats.aio.client import Client

from windlass_contracts.ids import DeploymentId, ProjectId, TeamId
from windlass_contracts.logs import ALL_LOGS, LOG_STREAM
from windlass_eventlog.logs.jetstream import JetStreamLogStore
from windlass_eventlog.logs.memory import MemoryLogStore
from windlass_eventlog.logs.port import DeploymentLog, LogStore


@pytest.fixture
def log() -> DeploymentLog:
    return DeploymentLog(TeamId(uuid4()), ProjectId(uuid4()), DeploymentId(uuid4()))


@pytest.fixture
async def connection(nats_server: str) -> AsyncIterator[Client]:
    connection = await nats.connect(nats_server, reconnect_time_wait=0.1, max_reconnect_attempts=-1)
    await connection.jetstream().add_stream(name=LOG_STREAM, subjects=[ALL_LOGS], allow_direct=True)
    yield connection
    await connection.close()


@pytest.fixture(params=["memory", "jetstream"])
def store(request: pytest.FixtureRequest) -> LogStore:
    if request.param == "memory":
        return MemoryLogStore()
    return JetStreamLogStore(request.getfixturevalue("connection"))
