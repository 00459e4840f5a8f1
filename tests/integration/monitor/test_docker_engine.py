"""Whether a real Docker engine is there, seen through a socket that goes away and comes back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiodocker import Docker

from support.unix_proxy import UnixProxy, unix_proxy
from windlass.provisioning.engine import Engine
from windlass_monitor.adapters.docker_engine import DockerEngine, connect
from windlass_monitor.domain.presence import Presence

pytestmark = pytest.mark.docker

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass
class Clock:
    """A second later each time; it is looked at when the engine was found."""

    looks: asyncio.Queue[datetime] = field(default_factory=asyncio.Queue)
    now: datetime = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        self.looks.put_nowait(self.now)
        return self.now


@pytest.fixture
async def proxy(tmp_path: Path, docker_engine: Engine) -> AsyncIterator[UnixProxy]:
    async with unix_proxy(tmp_path / "socket", Path(docker_engine.url.removeprefix("unix://"))) as proxy:
        yield proxy


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - the monitor asks, and nobody has to be told
        await asyncio.sleep(0)


async def test_an_engine_that_goes_is_away_until_it_answers_again(tmp_path: Path, proxy: UnixProxy) -> None:
    clock = Clock()
    async with Docker(url=f"unix://{tmp_path}/socket") as docker:
        engine = DockerEngine(docker, clock)
        assert engine.presence == Presence(None)
        following = asyncio.create_task(engine.run())
        first = await clock.looks.get()
        await until(lambda: engine.presence == Presence(first))
        proxy.closed = True
        proxy.cut()
        await until(lambda: engine.presence.since is None)
        proxy.closed = False
        second = await clock.looks.get()
        await until(lambda: engine.presence == Presence(second, returned=True))
        following.cancel()
        await asyncio.wait([following])


async def test_a_client_can_be_made_while_the_engine_has_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr("aiodocker.docker._sock_search_paths", [])
    async with connect() as docker:
        assert docker.docker_host.startswith("unix://")
