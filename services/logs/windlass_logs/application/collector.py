"""Which containers are followed: those that the rows name, whatever was delivered, and in whatever order."""

import asyncio
from dataclasses import dataclass, field

from windlass_contracts.events import ContainerStarted, ContainerStopped
from windlass_contracts.ids import DeploymentId
from windlass_eventlog.clock import Clock
from windlass_eventlog.logs.port import DeploymentLog
from windlass_eventlog.projection import Rows, Versioned
from windlass_eventlog.reactor import Reactor, WakeUp
from windlass_logs.application.following import Following
from windlass_logs.application.projections import DEPLOYMENTS
from windlass_logs.domain.deployment import Deployment

_MAY_HAVE_STOPPED_JUST_NOW = 100
"""Rows, the latest first, that are looked at for containers whose last lines were not read before a restart."""


@dataclass(slots=True)
class Collector:
    """Follows the containers of one node, each in a task of its own: none waits for another."""

    rows: Rows
    following: Following
    node: str
    clock: Clock
    tasks: asyncio.TaskGroup
    _starts: dict[str, int] = field(default_factory=dict)

    @property
    def reactor(self) -> Reactor:
        return Reactor("follow containers", frozenset({ContainerStarted, ContainerStopped}), self.notice)

    async def restore(self) -> None:
        """Follow again what was followed before this process began."""
        followed = await self.rows.find(DEPLOYMENTS, {"followed": True})
        latest = await self.rows.find(DEPLOYMENTS, {}, limit=_MAY_HAVE_STOPPED_JUST_NOW)
        for known in (*followed, *latest):
            self._follow_all(known)

    async def notice(self, wake: WakeUp) -> None:
        """Follow what the row of the deployment names now."""
        known = await self.rows.get(DEPLOYMENTS, wake.recorded.key.id)
        if known is not None:
            self._follow_all(known)

    def _follow_all(self, known: Versioned[Deployment]) -> None:
        for container in known.row.to_follow(self.node, self.clock()):
            is_followed = container.name in self._starts
            self._starts[container.name] = container.since
            if not is_followed:
                self.tasks.create_task(self._follow(container.name, known), name=f"follow {container.name}")

    async def _follow(self, container: str, known: Versioned[Deployment]) -> None:
        log = DeploymentLog(known.row.team, known.row.project, DeploymentId(known.key))
        start = -1
        while start != self._starts[container]:  # it may be gone and started anew under its name meanwhile
            start = self._starts[container]
            await self.following.follow(container, log, known.row.variables)
        del self._starts[container]
