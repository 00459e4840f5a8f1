"""What every test session shares: its installation id, real servers, and the rule that CI skips nothing."""

import asyncio
import secrets
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from support.nats import running_nats
from support.postgres import PostgresServer, running_postgres


@pytest.fixture(scope="session")
def installation_id() -> str:
    """Return the id that this session's containers, networks and images carry, and no other installation's do."""
    return secrets.token_hex(4)


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Return a function that answers a loopback TCP port nobody listens on at that moment."""

    def choose() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
            return port

    return choose


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the URL of one JetStream server that the whole session shares: use your own stream names."""
    with running_nats(tmp_path_factory.mktemp("nats-shared")) as url:
        yield url


@pytest.fixture
def nats_url(tmp_path: Path) -> Iterator[str]:
    """Yield the URL of an empty JetStream server that belongs to this test alone."""
    with running_nats(tmp_path / "nats") as url:
        yield url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Yield one PostgreSQL server for the whole session; tests take a database of their own from it."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def database_url(postgres_server: PostgresServer) -> Iterator[str]:
    """Yield the URL of an empty database that belongs to this test alone."""
    name = f"test_{secrets.token_hex(6)}"
    asyncio.run(_execute(postgres_server.url("postgres"), f"CREATE DATABASE {name}"))
    yield postgres_server.url(name)
    asyncio.run(_execute(postgres_server.url("postgres"), f"DROP DATABASE {name} WITH (FORCE)"))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
