"""Commands inside of real containers, and what a probe makes of how they end."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from uuid import uuid4

import pytest
from aiodocker import Docker
from aiodocker.types import JSONObject

from windlass.provisioning.engine import Engine
from windlass_contracts.config import CommandProbe
from windlass_monitor.adapters.command_prober import CommandProber
from windlass_monitor.application.prober import Target
from windlass_monitor.domain.outcomes import EngineAway, ExitedWith, NoAnswer, NotRun, Outcome, Succeeded, is_good

pytestmark = pytest.mark.docker


@pytest.fixture
async def docker(docker_engine: Engine) -> AsyncIterator[Docker]:
    async with Docker(url=docker_engine.url) as docker:
        yield docker


@pytest.fixture
async def app(docker: Docker, runner_images: Mapping[str, str]) -> AsyncIterator[str]:
    name = f"windlass-test-{uuid4().hex}"
    config: JSONObject = {
        "Image": runner_images["python"],
        "Cmd": ["sleep", "infinity"],
        "HostConfig": {"Init": True},
        "Env": ["READY=yes"],
        "User": "1000",
    }
    container = await docker.containers.create(config, name=name)
    await container.start()
    yield name
    await container.delete(force=True)


async def outcome(docker: Docker, container: str, command: str, timeout_ms: int = 60_000) -> Outcome:
    probe = CommandProbe(command=command, timeout_ms=timeout_ms)
    return await CommandProber(docker).probe(Target("", 0, container), probe)


async def test_a_command_that_ends_with_0_is_a_good_answer_and_no_other_is(docker: Docker, app: str) -> None:
    assert isinstance(await outcome(docker, app, 'test "$READY" = yes && test "$(id -u)" = 1000'), Succeeded)
    assert await outcome(docker, app, "exit 3") == ExitedWith(3)
    assert await outcome(docker, app, "no-such-command") == ExitedWith(127)
    assert isinstance(await outcome(docker, app, "yes | head -c 20000000; exit 0"), Succeeded)


async def test_a_command_that_takes_too_long_is_no_answer_and_does_not_stay(docker: Docker, app: str) -> None:
    assert await outcome(docker, app, "exec sleep 4711", timeout_ms=500) == NoAnswer()
    async with asyncio.timeout(60):
        while "4711" in str(await docker.containers.container(app).top()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # where the engine was too busy, it may have begun it just now


async def test_an_engine_that_does_not_answer_says_nothing_of_the_app(tmp_path: Path) -> None:
    async with Docker(url=f"unix://{tmp_path}/nobody") as nobody:
        assert await outcome(nobody, "any", "true") == EngineAway()


async def test_a_command_in_what_does_not_run_is_no_good_answer(docker: Docker, app: str) -> None:
    probe = CommandProbe(command="true")
    container = docker.containers.container(app)
    assert await outcome(docker, f"{app}-gone", "true") == NotRun()
    await container.stop(timeout=0)
    stopped = await outcome(docker, app, "true")
    assert stopped == NotRun()
    assert not is_good(stopped, probe)
