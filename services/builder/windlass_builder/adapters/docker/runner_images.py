"""The images of runners on the engine, which somebody else provides: perhaps at this very moment."""

import asyncio
import fcntl
from datetime import UTC, datetime
from pathlib import Path

from aiodocker import Docker, DockerError

from windlass_builder.adapters.docker.engine import is_missing
from windlass_builder.application.runtime import OutputSink
from windlass_builder.application.runtime_errors import RunnerImageMissingError
from windlass_builder.domain.workloads import OutputLine, OutputStream


class RunnerImages:
    """The engine's runner images; who prepares more of them holds a lock on the file `preparing` meanwhile."""

    def __init__(self, docker: Docker, preparing: Path) -> None:
        self._docker = docker
        self._preparing = preparing

    async def content(self, runner: str, output: OutputSink) -> str:
        """Return the id of the runner's content, once the runner is there.

        Raises: RunnerImageMissingError, where nobody prepares it; DockerError.
        """
        if (content := await self._find(runner)) is None:
            said = f"Waiting for the runner {runner}, which is still being prepared."
            if self._preparing.exists():
                await output(OutputLine(datetime.now(UTC), OutputStream.STDERR, said.encode()))
                await asyncio.to_thread(_wait_for, self._preparing)
            content = await self._find(runner)
        if content is None:
            raise RunnerImageMissingError(runner)
        return content

    async def _find(self, runner: str) -> str | None:
        try:
            content: str = (await self._docker.images.inspect(runner))["Id"]
        except DockerError as error:
            if is_missing(error):
                return None
            raise
        return content


def _wait_for(lock: Path) -> None:
    """Wait until nobody holds the lock."""
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
