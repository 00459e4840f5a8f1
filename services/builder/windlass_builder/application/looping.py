"""Which containers loop, as far as their lives were seen, and when one of them is steady again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from windlass_builder.domain.deployment import Container
from windlass_builder.domain.looping import Lives
from windlass_contracts.ids import DeploymentId


@dataclass(slots=True)
class Loops:
    """The lives of this node's containers, by their names; `steady` is called for one that has run long enough.

    They are remembered by this process alone: after a restart it counts on from what was told last.
    """

    tasks: asyncio.TaskGroup
    steady: Callable[[DeploymentId, str], Awaitable[None]]
    _lives: dict[str, Lives] = field(default_factory=dict)
    _ended: dict[str, datetime] = field(default_factory=dict)
    _began: dict[str, datetime] = field(default_factory=dict)
    _watches: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def began(
        self, deployment: DeploymentId, container: Container, at: datetime, lasted: timedelta = timedelta(0)
    ) -> None:
        """Remember that a life began at that time, and `lasted` until now; where it loops, see whether it stays."""
        self._began[container.name] = at
        self._leave(container.name)
        if container.exits:
            wait = self._of(container).steady_after - lasted
            self._watches[container.name] = self.tasks.create_task(self._watch(deployment, container.name, wait))

    def ended(self, container: Container, at: datetime) -> Lives:
        """Return what is known of the container after a life that ended then; an end that is told again is no other."""
        if self._ended.get(container.name) == at:
            return self._of(container)
        self._ended[container.name] = at
        self._leave(container.name)
        began = self._began.pop(container.name, at)
        lives = self._of(container).after(at - began)
        self._lives[container.name] = lives
        return lives

    def is_over(self, name: str) -> None:
        """Count anew: the container is steady."""
        self._leave(name)
        self._lives.pop(name, None)

    def is_gone(self, name: str) -> None:
        """Forget the container."""
        self.is_over(name)
        self._began.pop(name, None)
        self._ended.pop(name, None)

    def _of(self, container: Container) -> Lives:
        return self._lives.get(container.name, Lives(container.exits))

    def _leave(self, name: str) -> None:
        watch = self._watches.pop(name, None)
        if watch is not None and watch is not asyncio.current_task():
            watch.cancel()

    async def _watch(self, deployment: DeploymentId, name: str, wait: timedelta) -> None:
        await asyncio.sleep(max(wait.total_seconds(), 0))
        await self.steady(deployment, name)
