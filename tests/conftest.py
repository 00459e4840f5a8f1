"""What every test session shares: its installation id, real servers, and the rule that CI skips nothing."""

import asyncio
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from support import ports
from support.docker_objects import installation
from support.nats import running_nats
from support.placement import pytest_collection_modifyitems, pytest_xdist_make_scheduler  # noqa: F401 - as below
from support.postgres import PostgresServer, running_postgres
from support.skips import (  # noqa: F401 - pytest finds these hooks here
    pytest_make_collect_report,
    pytest_runtest_makereport,
    pytest_terminal_summary,
)
from windlass.provisioning.engine import Engine, find_engine
from windlass.provisioning.errors import EngineUnavailableError
from windlass.provisioning.progress import Silence
from windlass.provisioning.runner_images import PYTHON, RUNNERS, ensure_runner

pytest_plugins = ["support.installations", "support.machines"]

# No test is timed: a busy machine is no failure. In CI, hypothesis has its own profile, which repeats its examples.
settings.register_profile(
    "untimed",
    settings.get_profile("ci" if os.environ.get("CI") else "default"),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def installation_id() -> str:
    """Return the id that this session's containers, networks and images carry, and no other installation's do."""
    return secrets.token_hex(4)


@pytest.fixture(scope="session")
def docker_engine(installation_id: str) -> Iterator[Engine]:
    """Yield the Docker engine (its `url` is a DOCKER_HOST); what the session leaves on it is removed at the end."""
    try:
        engine = find_engine()
    except EngineUnavailableError as error:
        pytest.skip(str(error))
    with installation(installation_id):
        yield engine


@pytest.fixture(scope="session")
def runner_image(docker_engine: Engine) -> str:
    """Return the tag of the Python runner image, made now (a minute) unless the engine or the cache has it."""
    return ensure_runner(PYTHON, docker_engine, Silence()).tag


@pytest.fixture(scope="session")
def runner_images(docker_engine: Engine) -> Mapping[str, str]:
    """Return the tags of all runner images by the runners' names, made now (minutes) unless they are there."""
    return {name: ensure_runner(runner, docker_engine, Silence()).tag for name, runner in RUNNERS.items()}


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Return a function that answers a loopback TCP port nobody listens on at that moment."""
    return ports.free_port


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
