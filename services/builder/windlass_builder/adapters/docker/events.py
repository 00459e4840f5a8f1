"""The engine's events about this installation's runners and their networks, through every restart of the engine."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import aiohttp
import structlog
from aiodocker import Docker, DockerError

from windlass_builder.adapters.docker.engine import connect, find_container
from windlass_builder.adapters.docker.labels import DEPLOYMENT, INSTALLATION, PROJECT, ROLE, Role
from windlass_builder.application.runtime_errors import EngineError
from windlass_builder.domain.names import network_names
from windlass_builder.domain.workloads import (
    EventsResumed,
    RunnerEvent,
    RunnerExited,
    RunnerPaused,
    RunnerRemoved,
    RunnerResumed,
    RunnerStarted,
)

_log = structlog.get_logger()

_SIMPLE = {
    "start": RunnerStarted,
    "pause": RunnerPaused,
    "unpause": RunnerResumed,
    "destroy": RunnerRemoved,
}
_KILLED = 137
_NANOSECONDS = 1_000_000_000
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 5.0


class EngineEvents:
    """One subscription, with connections of its own: the client can follow the events of an engine only once."""

    def __init__(self, url: str | None, installation: str) -> None:
        self._url = url
        # Not by labels, for the events of networks have none.
        self._filters = {"type": ["container", "network"], "event": [*_SIMPLE, "die", "oom", "disconnect"]}
        self._ours = {INSTALLATION: installation, ROLE: Role.RUNNER}
        self._networks = network_names(installation)
        self._short_of_memory: set[str] = set()

    async def follow(self, since: datetime | None) -> AsyncGenerator[RunnerEvent | EventsResumed, None]:
        """Yield events for ever; see `Runtime.events`."""
        following = int((since or datetime.now(UTC)).timestamp() * _NANOSECONDS)
        while True:
            async with connect(self._url) as docker, aclosing(self._read(docker, following)) as events:
                async for event in events:
                    following = max(following, event["timeNano"] + 1)
                    if (typed := await self._typed(docker, event)) is not None:
                        yield typed
            await self._wait_for_engine()
            yield EventsResumed(datetime.now(UTC))

    async def _read(self, docker: Docker, since: int) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the engine's own events until the connection ends, for whatever reason."""
        subscription = docker.events.subscribe(create_task=False)
        start = f"{since // _NANOSECONDS}.{since % _NANOSECONDS:09}"
        reading = asyncio.create_task(docker.events.run(since=start, filters=self._filters))
        try:
            while (event := await subscription.get()) is not None:
                yield event
        finally:
            reading.cancel()
            await asyncio.wait([reading])
        if not reading.cancelled() and (error := reading.exception()):
            await _log.awarning("The events of the Docker engine broke off", reason=str(error))

    async def _wait_for_engine(self) -> None:
        """Return once the engine answers. One that is down cannot call: there is only asking again."""
        wait = _FIRST_WAIT
        while True:
            try:
                async with connect(self._url) as docker:
                    await docker.version()
            except (DockerError, EngineError, aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT)
            else:
                return

    async def _typed(self, docker: Docker, event: dict[str, Any]) -> RunnerEvent | EventsResumed | None:
        container, marks = event["Actor"]["ID"], event["Actor"]["Attributes"]
        if event["Type"] == "network":
            return await self._about_a_network(docker, event)
        if not self._ours.items() <= marks.items():
            return None
        runner, project, deployment = marks["name"], UUID(marks[PROJECT]), UUID(marks[DEPLOYMENT])
        at = datetime.fromtimestamp(event["timeNano"] / _NANOSECONDS, UTC)
        match event["Action"]:
            case "oom":
                self._short_of_memory.add(container)
                return None
            case "die":
                return RunnerExited(
                    runner=runner,
                    project=project,
                    deployment=deployment,
                    at=at,
                    id=container,
                    exit_code=int(marks["exitCode"]),
                    out_of_memory=await self._ran_out_of_memory(docker, container, int(marks["exitCode"])),
                )
            case action:
                return _SIMPLE[action](runner=runner, project=project, deployment=deployment, at=at, id=container)

    async def _about_a_network(self, docker: Docker, event: dict[str, Any]) -> EventsResumed | None:
        """A network that is gone takes the addresses of all that is in it: compare. So does a running container's cut.

        Every container that ends is disconnected too: that is no news.
        """
        marks = event["Actor"]["Attributes"]
        if not marks["name"].startswith(self._networks):
            return None
        if event["Action"] == "disconnect" and not await _runs(docker, marks["container"]):
            return None
        return EventsResumed(datetime.fromtimestamp(event["timeNano"] / _NANOSECONDS, UTC))

    async def _ran_out_of_memory(self, docker: Docker, container: str, exit_code: int) -> bool:
        """The engine says so in an event of its own, in the container's state, or in both, in no fixed order.

        Who looks at the state waits until the engine is done with the end, 0.1 s or more: only where something was
        killed is it looked at.
        """
        said = container in self._short_of_memory
        self._short_of_memory.discard(container)
        if said or exit_code != _KILLED:
            return said
        try:
            found = await find_container(docker, container)
        except DockerError as error:
            await _log.awarning("The Docker engine did not say why a runner ended", reason=error.message)
            return False
        return found is not None and bool(found["State"]["OOMKilled"])


async def _runs(docker: Docker, container: str) -> bool:
    try:
        found = await find_container(docker, container)
    except DockerError as error:
        await _log.awarning("The Docker engine did not say how a runner is", reason=error.message)
        return True
    return found is not None and bool(found["State"]["Running"])
