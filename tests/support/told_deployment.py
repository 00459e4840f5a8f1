"""A deployment whose requests, builds and containers a test tells the log of, as gateway and builder would."""

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from windlass_contracts.cloudevent import Metadata, Proposed
from windlass_contracts.config import DeploymentConfig, Limits
from windlass_contracts.event import Event
from windlass_contracts.events import (
    AliasesChanged,
    BuildStarted,
    BuildSucceeded,
    ContainerPaused,
    ContainerResumed,
    ContainerStarted,
    ContainerStopped,
    CutoverStarted,
    DeploymentLive,
    DeploymentRequested,
)
from windlass_contracts.events.deployment import GitSource, Recipe, VariableVersion
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import DeploymentId, EnvironmentId, EventId, ProjectId, TeamId
from windlass_contracts.subjects import Aggregate, AggregateKey, Service
from windlass_eventlog.clock import Clock, utc_now
from windlass_eventlog.errors import ConflictError
from windlass_eventlog.log import EventLog, Expected

_NODE = "node-1"


def _new_key() -> AggregateKey:
    return AggregateKey.of_deployment(TeamId(uuid4()), ProjectId(uuid4()), DeploymentId(uuid4()))


@dataclass
class ToldDeployment:
    """One deployment on a log."""

    log: EventLog
    config: DeploymentConfig = field(default_factory=DeploymentConfig)
    clock: Clock = utc_now
    key: AggregateKey = field(default_factory=_new_key)
    environment: EnvironmentId = field(default_factory=lambda: EnvironmentId(uuid4()))
    _last: dict[AggregateKey, int] = field(default_factory=dict)

    async def built(self, variables: dict[str, UUID] | None = None) -> None:
        """Request it, and build it."""
        versions = tuple(VariableVersion(name=name, secret=secret) for name, secret in (variables or {}).items())
        source = GitSource(repository="https://git.example.com/shop.git", commit="4b825dc6" * 5)
        requested = DeploymentRequested(
            environment=self.environment, source=source, trigger="api", config=self.config, variables=versions
        )
        succeeded = BuildSucceeded(
            node=_NODE,
            release="release:1",
            digest="sha256:" + "0" * 64,
            recipe=Recipe(runner="python", start_command="./serve"),
            cache_hit=False,
            duration_ms=1,
        )
        await self.tell(Service.GATEWAY, requested)
        await self.tell(Service.BUILDER, BuildStarted(node=_NODE, attempt=1))
        await self.tell(Service.BUILDER, succeeded)

    async def started(self, container: str, port: int = 8_000, replica: int = 0, address: str = "127.0.0.1") -> int:
        """Start a container and return the sequence at which that stands."""
        event = ContainerStarted(
            node=_NODE,
            container=container,
            replica=replica,
            address=address,
            port=port,
            limits=Limits(),
            runtime="process",
            duration_ms=1,
        )
        return await self.tell(Service.BUILDER, event)

    async def live(self, *containers: str) -> None:
        """Move the routes to healthy containers."""
        await self.tell(Service.ROUTER, CutoverStarted(containers=containers))
        await self.tell(Service.ROUTER, DeploymentLive(generation=1, duration_ms=1))

    @property
    def alias(self) -> str:
        """The address of its environment."""
        return f"app-{self.environment.hex}"

    async def answers(self, before: "ToldDeployment | None" = None) -> int:
        """Give its environment to it, and return the sequence at which that stands."""
        assert self.key.project is not None
        alias = Alias(kind="environment", name=self.alias, environment=self.environment)
        left = None if before is None else DeploymentId(before.key.id)
        move = AliasMove(alias=alias, before=left, after=DeploymentId(self.key.id))
        key = AggregateKey.of_project(self.key.team, self.key.project, Aggregate.ROUTES)
        return await self._append(key, Service.ROUTER, AliasesChanged(why="cutover", moves=(move,)))

    async def paused(self, container: str) -> None:
        await self.tell(Service.BUILDER, ContainerPaused(node=_NODE, container=container))

    async def resumed(self, container: str) -> None:
        await self.tell(Service.BUILDER, ContainerResumed(node=_NODE, container=container))

    async def stopped(self, container: str) -> None:
        await self.tell(Service.BUILDER, ContainerStopped(node=_NODE, container=container, why="retired"))

    async def tell(self, service: Service, event: Event) -> int:
        """Append behind whatever the services under test appended meanwhile."""
        return await self._append(self.key, service, event)

    async def _append(self, key: AggregateKey, service: Service, event: Event) -> int:
        identity = EventId(uuid4())
        metadata = Metadata(identity, self.clock(), f"service:{service}", identity)
        while True:
            try:
                expected = Expected.at(key, self._last.get(key, 0))
                self._last[key] = await self.log.append(Proposed(service, key, event, metadata), expected)
            except ConflictError as conflict:
                self._last[key] = conflict.actual or await self.log.head()
            else:
                return self._last[key]
