"""A whole builder over the log in memory, with the other services' events told by the test."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal
from uuid import UUID

from support import router_events as say
from support.memory_runtime import NOON, MemoryRuntime, PowerCut
from windlass_builder.adapters.intents import IntentFiles
from windlass_builder.adapters.uploads import StoredUploads
from windlass_builder.application.access import NO_ACCESS, Access, OpeningAccess
from windlass_builder.application.building import Building
from windlass_builder.application.collecting import Collecting
from windlass_builder.application.collecting_sources import CollectingSources
from windlass_builder.application.containers import Containers
from windlass_builder.application.deploying import Deploying
from windlass_builder.application.ending import Ending
from windlass_builder.application.exits import Exits
from windlass_builder.application.fetching import Fetching
from windlass_builder.application.inspecting import Inspecting
from windlass_builder.application.looking import Looking
from windlass_builder.application.node import Node, always_ample
from windlass_builder.application.one_off import OneOff
from windlass_builder.application.pre_deploy import PreDeploy
from windlass_builder.application.projections import (
    CREDENTIALS,
    DEPLOYMENTS,
    INSPECTIONS,
    RELEASES,
    ROUTES,
    RUNS,
    TURNS,
)
from windlass_builder.application.queue import BuildQueue
from windlass_builder.application.rebuilding import Rebuilding
from windlass_builder.application.reconciling import Reconciling
from windlass_builder.application.retiring import Retiring
from windlass_builder.application.returning import WANT_BACK, Returning
from windlass_builder.application.scaling import Scaling
from windlass_builder.application.skipping import Skipping
from windlass_builder.application.source import RepositoryHeads, SourceLocation
from windlass_builder.application.source_store import SourceStore
from windlass_builder.application.superseding import Superseding
from windlass_builder.domain.deployment import Deployment
from windlass_builder.domain.detection import Listing
from windlass_builder.domain.names import runner_name
from windlass_builder.domain.room import DiskLevel
from windlass_contracts.cloudevent import Metadata, Proposed
from windlass_contracts.config import DeploymentConfig
from windlass_contracts.event import Event
from windlass_contracts.events import (
    AliasesChanged,
    ContainerStopped,
    CutoverStarted,
    DeploymentCanceled,
    DeploymentLive,
    DeploymentRequested,
    DeploymentSuperseded,
    Failed,
    Healthy,
    InspectionRequested,
    RoutesApplied,
    RunEnded,
    RunRequested,
)
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import DeploymentId, EventId, ProjectId, derived
from windlass_contracts.subjects import AggregateKey, Service
from windlass_eventlog.appender import Appender
from windlass_eventlog.frames.memory import MemoryFrames
from windlass_eventlog.log import Expected
from windlass_eventlog.logs.memory import MemoryLogStore
from windlass_eventlog.memory import MemoryKeyValue, MemoryLog, MemoryObjects, MemoryReactors, MemoryRows
from windlass_eventlog.memory.keys import MemoryKeys
from windlass_eventlog.projection import Versioned
from windlass_eventlog.reactor import Reactor, WakeUp
from windlass_eventlog.vault import Vault

INSTALLATION = "0badcafe"
COMMIT = "c" * 40


def name_of(deployment: UUID, ordinal: int = 1) -> str:
    return runner_name(INSTALLATION, deployment, ordinal)


class OneCommit:
    """A source that has one commit, and it is always there; `fails` is what it raises instead of its answer."""

    def __init__(self) -> None:
        self.fails: Exception | None = None
        self.asked = 0
        self.commit = COMMIT
        self.changes: frozenset[str] | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def heads(self, url: str) -> RepositoryHeads:  # noqa: ARG002 - the port's signature
        self.asked += 1
        await self.may_answer.wait()
        if self.fails is not None:
            raise self.fails
        return RepositoryHeads({"main": COMMIT}, {"v1": COMMIT}, "main")

    async def resolve(self, url: str, ref: str, access: Access = NO_ACCESS) -> str:  # noqa: ARG002 - the port's signature
        if self.fails is not None:
            raise self.fails
        return self.commit

    async def changed(self, url: str, before: str, after: str, access: Access = NO_ACCESS) -> frozenset[str] | None:  # noqa: ARG002 - the port's signature
        return self.changes

    async def fetch(
        self,
        location: SourceLocation,  # noqa: ARG002 - the port's signature
        commit: str,  # noqa: ARG002
        archive: Path,
        access: Access = NO_ACCESS,  # noqa: ARG002
    ) -> None:
        archive.write_bytes(b"")  # noqa: ASYNC240 - an empty file


async def _listing(_archive: Path) -> Listing:
    return Listing(frozenset({"server.py"}), {})


@dataclass(slots=True)
class MortalLog(MemoryLog):
    """A log whose builder dies right before or right after its append number `dies_at`, counted from 1."""

    dies_at: int = 0
    dies: Literal["before", "after"] = "before"

    async def append(self, proposed: Proposed[Event], expected: Expected) -> int:
        if proposed.service is not Service.BUILDER:
            return await MemoryLog.append(self, proposed, expected)
        self.dies_at -= 1
        if self.dies_at == 0 and self.dies == "before":
            raise PowerCut
        sequence = await MemoryLog.append(self, proposed, expected)
        if self.dies_at == 0:
            raise PowerCut
        return sequence


@dataclass
class MemoryBuilder:
    """The parts of a builder. One that was killed is another one on its log and its node (`again`)."""

    scratch: Path
    log: MortalLog = field(default_factory=MortalLog)
    runtime: MemoryRuntime = field(default_factory=MemoryRuntime)
    vault: Vault = field(default_factory=lambda: Vault(MemoryKeyValue(), MemoryKeys()))
    clock: datetime = NOON
    deployments: int = 0
    keeps: int = 10
    sources: OneCommit = field(default_factory=OneCommit)
    lines: MemoryLogStore = field(default_factory=MemoryLogStore)
    terminals: MemoryLogStore = field(default_factory=MemoryLogStore)
    frames: MemoryFrames = field(default_factory=MemoryFrames)
    objects: MemoryObjects = field(default_factory=MemoryObjects)
    stores: tuple[SourceStore, ...] = ()
    measured_level: Callable[[], DiskLevel] = always_ample

    def __post_init__(self) -> None:
        self.rows = MemoryRows(self.log, (DEPLOYMENTS, ROUTES, INSPECTIONS, CREDENTIALS, TURNS, RUNS, RELEASES))
        node = Node("one", INSTALLATION, "memory", {"python": "python"}, self.scratch, 2**30)
        node = replace(node, intents=IntentFiles(self.scratch / "intents"), disk_level=self.measured_level)
        append = Appender(self.log, Service.BUILDER, lambda: self.clock)
        self.containers = Containers(self.rows, self.runtime, self.vault, node, self.log.head)
        self.append = append
        self.queue = BuildQueue(self.log, self.rows, node.locks, 1, node.shortage, append.clock)
        opening, skipping = OpeningAccess(self.rows, self.vault), Skipping(self.rows, self.sources)
        fetching = Fetching(self.sources, StoredUploads(self.objects), opening, skipping, self.containers.node.name)
        building = Building(self.containers, fetching, _listing, self.lines, append.clock)
        pre_deploy = PreDeploy(self.containers, self.lines, append.clock)
        deploying = Deploying(append, self.containers, building, pre_deploy, self.queue)
        superseding = Superseding(append, self.rows)
        looks = asyncio.Semaphore(1)
        self.inspecting = Inspecting(append, self.rows, self.sources, _listing, self.scratch, looks, lambda: self.clock)
        ending = Ending(append, self.containers)
        self.building = building
        self.reconciling = self.reconciling_in(asyncio.TaskGroup())
        self.exits = self.exits_in(asyncio.TaskGroup())
        without_winning: frozenset[type[Event]] = frozenset({DeploymentCanceled, DeploymentSuperseded, Failed})
        returning = Returning(append, self.containers)
        one_off = OneOff(append, self.containers, self.terminals, self.frames, append.clock)
        self.reactors = MemoryReactors(
            self.log,
            self.rows,
            [
                Reactor("inspect", frozenset({InspectionRequested}), self.inspecting.handle),
                Reactor("supersede", frozenset({DeploymentRequested}), superseding.handle),
                Reactor("deploy", frozenset({DeploymentRequested}), deploying.handle),
                Reactor("stop", without_winning, ending.stop),
                Reactor("keep-running", frozenset({DeploymentLive}), ending.keep_running),
                Reactor("return", WANT_BACK, returning.handle),
                Reactor("run", frozenset({RunRequested, RunEnded}), one_off.handle),
            ],
        )

    def again(self) -> "MemoryBuilder":
        """Return the builder that is started after this one was killed; unacknowledged wake-ups come again."""
        return MemoryBuilder(
            self.scratch,
            self.log,
            self.runtime,
            self.vault,
            self.clock,
            self.deployments,
            self.keeps,
            self.sources,
            self.lines,
            self.terminals,
            self.frames,
            self.objects,
            self.stores,
        )

    def reconciling_in(self, tasks: asyncio.TaskGroup) -> Reconciling:
        return Reconciling(self.append, self.containers, Rebuilding(self.building, tasks))

    def exits_in(self, tasks: asyncio.TaskGroup) -> Exits:
        return Exits(self.append, self.containers, self.reconciling, tasks)

    def scaling(self, tasks: asyncio.TaskGroup) -> Scaling:
        return Scaling(self.reconciling, tasks)

    def retiring(self, tasks: asyncio.TaskGroup) -> Retiring:
        return Retiring(self.append, self.containers, lambda: self.clock, tasks)

    def collecting(self) -> Collecting:
        return Collecting(self.append, Looking(self.containers))

    def collecting_sources(self) -> CollectingSources:
        looking = Looking(self.containers)
        return CollectingSources(self.append, looking, (*self.stores, StoredUploads(self.objects)), self.append.clock)

    async def tell(self, about: UUID, *events: Event, of: ProjectId = say.PROJECT) -> EventId:
        """Append what another service says, and return the id of the last event."""
        identity = EventId(UUID(int=0))
        for event in events:
            project = None if event.AGGREGATE.of_team else of
            key = AggregateKey(say.TEAM, project, event.AGGREGATE, about)
            identity = EventId(derived("told", str(self.log.length)))
            (service, *_) = sorted(event.APPENDED_BY)
            last = max((at for at in range(1, self.log.length + 1) if self.log.at(at).key == key), default=0)
            metadata = Metadata(identity, self.clock, "token:test", identity)
            await self.log.append(Proposed(service, key, event, metadata), Expected.at(key, last))
        return identity

    async def requested(self, replicas: int = 1, before: str | None = None) -> DeploymentId:
        self.deployments += 1
        identity = say.deployment_number(self.deployments)
        config = DeploymentConfig(
            replicas=replicas, start_command="python server.py", pre_deploy_command=before, keep_releases=self.keeps
        )
        await self.tell(identity, say.requested(config=config))
        return identity

    async def healthy(self, deployment: UUID, ordinal: int = 1) -> None:
        container = name_of(deployment, ordinal)
        await self.tell(deployment, Healthy(container=container, probe="http", status=200, tries=1, duration_ms=1))

    async def pointed(
        self, after: DeploymentId, before: DeploymentId | None = None, request: EventId | None = None
    ) -> None:
        alias = Alias(kind="environment", name="shop", environment=say.PRODUCTION)
        move = AliasMove(alias=alias, before=before, after=after)
        await self.tell(say.PROJECT, AliasesChanged(why="cutover", deployment=after, request=request, moves=(move,)))

    async def confirmed(self) -> None:
        applied = RoutesApplied(generation=self.log.length, proxies=("one",), duration_ms=1)
        await self.tell(say.PROJECT, applied)

    async def cut_over(
        self, deployment: DeploymentId, before: DeploymentId | None = None, request: EventId | None = None
    ) -> None:
        await self.tell(deployment, CutoverStarted(containers=(name_of(deployment),)))
        await self.pointed(deployment, before, request)

    async def live(self, before: DeploymentId | None = None) -> DeploymentId:
        deployment = await self.requested()
        await self.reactors.settle()
        await self.healthy(deployment)
        await self.cut_over(deployment, before)
        await self.confirmed()
        await self.tell(deployment, DeploymentLive(generation=self.log.length, duration_ms=1))
        await self.reactors.settle()
        return deployment

    async def found(self, deployment: UUID) -> Versioned[Deployment]:
        found = await self.rows.get(DEPLOYMENTS, deployment)
        assert found is not None
        return found

    async def stopped(self, deployment: DeploymentId, name: str) -> None:
        """Let what was replaced end, and be swept away."""
        await self.tell(deployment, ContainerStopped(node="one", container=name, why="retired"))
        await self.runtime.remove(name)

    def wake(self) -> WakeUp:
        """Return what the last event wakes somebody up with."""
        return WakeUp(self.log.at(self.log.length), attempt=1)

    def types(self, about: UUID) -> list[str]:
        events = (self.log.at(sequence) for sequence in range(1, self.log.length + 1))
        return [event.event.TYPE for event in events if event.key.id == about]

    def pass_time(self, by: timedelta) -> None:
        self.clock += by
