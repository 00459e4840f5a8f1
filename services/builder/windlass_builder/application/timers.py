"""Looking at deployments again when their time has come: at once when something changed, or when the last look said."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from windlass_contracts.ids import DeploymentId, ProjectId

Look = Callable[[ProjectId, DeploymentId], Awaitable[timedelta | None]]
"""Does what is due, and returns how long to wait for the next look; None where there is none."""


@dataclass(slots=True)
class Timers:
    """A task for each deployment that is looked at; none sleeps through a change."""

    look: Look
    tasks: asyncio.TaskGroup
    _changed: dict[DeploymentId, asyncio.Event] = field(default_factory=dict)

    def watch(self, project: ProjectId, deployment: DeploymentId) -> None:
        """Look at the deployment now, or once more where it is looked at already."""
        watched = self._changed.get(deployment)
        if watched is not None:
            watched.set()
            return
        self._changed[deployment] = asyncio.Event()
        self.tasks.create_task(self._keep(project, deployment))

    async def _keep(self, project: ProjectId, deployment: DeploymentId) -> None:
        changed = self._changed[deployment]
        while True:
            changed.clear()  # before it is looked at: what changes meanwhile is looked at once more
            wait = await self.look(project, deployment)
            if wait is None and not changed.is_set():
                break
            with suppress(TimeoutError):
                async with asyncio.timeout(None if wait is None else wait.total_seconds()):
                    await changed.wait()  # not by wait_for, which may swallow a cancellation
        del self._changed[deployment]
