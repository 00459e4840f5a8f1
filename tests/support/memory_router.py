"""A whole router over the log in memory, with the other services' events told by the test."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from support import router_events as say
from support.memory_proxy import MemoryProxy
from support.traefik import BASE, MARKER_PATH
from windlass_contracts.cloudevent import Metadata, Proposed
from windlass_contracts.config import DeploymentConfig
from windlass_contracts.event import Event
from windlass_contracts.events import Failed
from windlass_contracts.events.deployment import Stage
from windlass_contracts.ids import DeploymentId, EnvironmentId, EventId, derived
from windlass_contracts.subjects import AggregateKey, Service
from windlass_eventlog.appender import Appender
from windlass_eventlog.log import Expected
from windlass_eventlog.memory import MemoryLog, MemoryReactors, MemoryRows
from windlass_router.application.giving_up import GivingUp
from windlass_router.application.projections import ALL
from windlass_router.application.proxy import Proxy
from windlass_router.application.publisher import Publisher
from windlass_router.application.reactors import reactors_of
from windlass_router.application.rolling_out import RollingOut
from windlass_router.application.serving import Serving
from windlass_router.application.switching import Switching
from windlass_router.domain.configuration import Site

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SITE = Site("localhost", 4000, MARKER_PATH, BASE)


@dataclass
class MemoryRouter:
    """The parts of a router; time passes only as the test says. A router that was killed is another one on its log.

    `other_proxy` is published to instead of the one in memory.
    """

    log: MemoryLog = field(default_factory=MemoryLog)
    proxy: MemoryProxy = field(default_factory=MemoryProxy)
    other_proxy: Proxy | None = None
    began: datetime = NOON
    deployments: int = 0

    def __post_init__(self) -> None:
        self.rows = MemoryRows(self.log, ALL)
        self.publisher = Publisher(self.rows, self.other_proxy or self.proxy, SITE, self.now)
        append = Appender(self.log, Service.ROUTER, self.now)
        switching = Switching(append, self.rows, self.publisher, self.now)
        serving = Serving(self.rows, self.publisher, self.now, switching)
        self.reactors = MemoryReactors(
            self.log,
            self.rows,
            reactors_of(switching, serving, GivingUp(switching, self.now), RollingOut(switching, self.now)),
        )
        self.proxy.pass_time = self._pass

    def now(self) -> datetime:
        return self.began + self.reactors.now

    def _pass(self, time: timedelta) -> None:
        self.reactors.now += time

    @asynccontextmanager
    async def running(self) -> AsyncIterator["MemoryRouter"]:
        """Publish for as long as the block lasts."""
        publishing = asyncio.create_task(self.publisher.run())
        try:
            yield self
        finally:
            publishing.cancel()
            await asyncio.wait({publishing})

    async def tell(self, about: UUID, *events: Event) -> EventId:
        """Append what another service says, and return the id of the last event."""
        identity = EventId(UUID(int=0))
        for event in events:
            key = AggregateKey(say.TEAM, say.PROJECT, event.AGGREGATE, about)
            identity = EventId(derived("told", str(self.log.length)))
            metadata = Metadata(identity, self.now(), "token:test", identity)
            (service, *_) = sorted(event.APPENDED_BY)
            last = max((at for at in range(1, self.log.length + 1) if self.log.at(at).key == key), default=0)
            await self.log.append(Proposed(service, key, event, metadata), Expected.at(key, last))
        return identity

    async def founded(self) -> None:
        await self.tell(say.PROJECT, *say.founding())

    async def requested(
        self,
        environment: EnvironmentId = say.PRODUCTION,
        ref: str | None = "main",
        config: DeploymentConfig | None = None,
        trigger: str = "api",
    ) -> DeploymentId:
        self.deployments += 1
        identity = say.deployment_number(self.deployments)
        await self.tell(identity, say.requested(environment, ref, config, trigger))
        return identity

    async def healthy(self, deployment: DeploymentId, replicas: int = 1) -> None:
        """Take a requested deployment as far as the router's turn, and let the router do what is due."""
        started = [say.started(deployment, replica) for replica in range(replicas)]
        answers = [say.healthy(deployment, replica) for replica in range(replicas)]
        await self.tell(deployment, *say.built(), *started, *answers)
        await self.reactors.settle()

    async def live(self, environment: EnvironmentId = say.PRODUCTION, ref: str | None = "main") -> DeploymentId:
        deployment = await self.requested(environment, ref)
        await self.healthy(deployment)
        return deployment

    async def pushed(self, environment: EnvironmentId = say.PRODUCTION, ref: str | None = "main") -> DeploymentId:
        """Let a push be built and become healthy, and let the router do what is due."""
        deployment = await self.requested(environment, ref, trigger="webhook")
        await self.healthy(deployment)
        return deployment

    async def abandoned(self, deployment: DeploymentId) -> None:
        """Let the gateway end a deployment whose router stayed away."""
        await self.tell(deployment, Failed(stage=Stage.DEADLINE, code="cutover-abandoned", reason="Nobody answered."))

    def events(self, about: UUID) -> Iterable[Event]:
        found = (self.log.at(sequence) for sequence in range(1, self.log.length + 1))
        return (event.event for event in found if event.key.id == about)

    def types(self, about: UUID) -> list[str]:
        return [event.TYPE for event in self.events(about)]

    def last(self, about: UUID) -> Event:
        return list(self.events(about))[-1]
