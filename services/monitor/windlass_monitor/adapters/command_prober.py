"""Probes by commands that are run inside the containers of a Docker engine, as their own user and with their variables.

The engine lets nobody end what was begun so: `timeout` inside the container does. What the command prints is not kept.
"""

import asyncio
from dataclasses import dataclass
from math import ceil

import aiohttp
from aiodocker import Docker, DockerError

from windlass_contracts.config import CommandProbe, Probe
from windlass_monitor.application.prober import Prober, Target
from windlass_monitor.domain.outcomes import EngineAway, ExitedWith, NoAnswer, NotRun, Outcome, Succeeded, Unsupported

_NOT_CONNECTED = 900
"""What aiodocker has for a status where nobody answered."""
_ENGINE_S = 5.0
"""What the engine of a busy machine may take beyond the time that the command has."""


@dataclass(frozen=True, slots=True)
class CommandProber(Prober):
    """Asks the engine that runs the containers."""

    docker: Docker

    async def probe(self, target: Target, probe: Probe) -> Outcome:
        if not isinstance(probe, CommandProbe):
            return Unsupported()
        started = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(probe.timeout_ms / 1_000 + _ENGINE_S):
                code = await self._run(target.container, probe)
        except DockerError as error:
            return EngineAway() if error.status == _NOT_CONNECTED else NotRun()
        except (aiohttp.ClientError, OSError):
            return EngineAway()
        except TimeoutError:
            return NoAnswer()
        took = round((asyncio.get_running_loop().time() - started) * 1_000)
        return _outcome(code, took, probe)

    async def _run(self, container: str, probe: CommandProbe) -> int | None:
        """Return the exit code; None while the engine has none, because the container ended."""
        seconds = str(ceil(probe.timeout_ms / 1_000))
        command = ["timeout", "-s", "KILL", seconds, "/bin/sh", "-c", probe.command]
        execution = await self.docker.containers.container(container).exec(command)
        async with execution.start() as output:
            while await output.read_out() is not None:
                pass
        code: int | None = (await execution.inspect())["ExitCode"]
        return code


def _outcome(code: int | None, took_ms: int, probe: CommandProbe) -> Outcome:
    if took_ms >= probe.timeout_ms:
        return NoAnswer()
    if code == 0:
        return Succeeded(took_ms)
    return NotRun() if code is None else ExitedWith(code)
