"""What the log says, folded once more and in the simplest way: what invariants are checked against."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from support.simulation.parts import Parts
from windlass_contracts.cloudevent import Recorded
from windlass_contracts.config import Deadlines
from windlass_contracts.event import Event
from windlass_contracts.events import (
    AliasesChanged,
    ContainerPaused,
    ContainerResumed,
    ContainerStarted,
    ContainerStopped,
    CutoverStarted,
    DeploymentRequested,
    DeploymentScaled,
    EnvironmentCreated,
    EnvironmentReleased,
    Healthy,
    PreDeploySucceeded,
    ProjectCreated,
    PromotionRequested,
    RestartFailed,
    RestartRequested,
    RestartSucceeded,
    RestoreRequested,
    RollbackRequested,
    RoutesApplied,
    RoutesFailed,
    WeightChanged,
    WeightRequested,
)
from windlass_contracts.lifecycle import Phase, transition

PER_DEPLOYMENT = "deployment"


@dataclass(slots=True)
class Box:
    """A container by the log: its address, whether it was ever seen healthy there, its state, and since when it is."""

    address: str
    proven: bool = False
    state: str = "running"
    replica: int = 0
    began: int = 0


@dataclass(slots=True)
class Told:
    """A deployment by the log."""

    project: UUID
    environment: UUID
    sequence: int
    replicas: int
    deadlines: Deadlines
    phase: Phase = Phase.REQUESTED
    ends: int = 0
    boxes: dict[str, Box] = field(default_factory=dict)
    cutover: int = 0
    pushed: bool = False
    """Whether nobody asked for it by hand."""
    held_back: bool = False
    """Whether it took its addresses while a rollback held its environment."""
    steps: tuple[int, ...] = ()
    """The percentages by which it takes an environment that answers already."""
    waits_for_command: bool = False
    """Whether the command before the start has not succeeded yet."""
    crashed: bool = False
    """Whether a container ended by itself during the cutover."""
    down_since: datetime | None = None
    """When all containers were down during the cutover, if none was healthy again since."""

    @property
    def healthy_within(self) -> timedelta:
        """How long a container may take to start and to be healthy."""
        return timedelta(seconds=self.deadlines.start_s + self.deadlines.health_s)


@dataclass(slots=True)
class Holder:
    """Who answers at an alias, and by the request at which sequence."""

    deployment: UUID
    asked: int


@dataclass(slots=True)
class Address:
    kind: str
    environment: UUID | None
    project: UUID
    current: Holder | None = None
    previous: Holder | None = None
    changed: int = 0
    why: str = ""


@dataclass(slots=True)
class Switch:
    """A rollback, promotion or restoring without an answer yet; the last one names what fails."""

    project: UUID
    to: UUID
    sequence: int
    failed: UUID | None = None
    moved: int = 0
    taken_back: bool = False


@dataclass(slots=True)
class Ledger:
    deployments: dict[UUID, Told] = field(default_factory=dict)
    addresses: dict[str, Address] = field(default_factory=dict)
    switches: dict[UUID, Switch] = field(default_factory=dict)
    answered: dict[UUID, int] = field(default_factory=dict)
    applied: dict[UUID, int] = field(default_factory=dict)
    proven: set[tuple[UUID, str]] = field(default_factory=set)
    restarts: dict[UUID, int] = field(default_factory=dict)
    """At which sequence each restart was asked for."""
    restarted: dict[UUID, int] = field(default_factory=dict)
    """How many answers each restart has."""
    stopped: dict[str, int] = field(default_factory=dict)
    """At which sequence the log says of an address that what ran there is stopped."""
    slugs: dict[UUID, str] = field(default_factory=dict)
    production: set[UUID] = field(default_factory=set)
    holds: dict[UUID, dict[UUID, int | None]] = field(default_factory=dict)
    """Each project's environments that were rolled back, and at which sequence they were released, if they were."""
    held_before: dict[UUID, dict[UUID, int | None]] = field(default_factory=dict)
    """The holds before the last decision."""
    parts: Parts = field(default_factory=Parts)

    def fold(self, recorded: Recorded[Event]) -> None:
        event, about = recorded.event, recorded.key.id
        told = self.deployments.get(about)
        if isinstance(event, DeploymentRequested):
            self.deployments[about] = Told(
                recorded.project,
                event.environment,
                recorded.sequence,
                event.config.replicas,
                event.config.deadlines,
                pushed=event.trigger == "webhook",
                steps=() if event.config.rollout is None else tuple(one.weight for one in event.config.rollout.steps),
                waits_for_command=event.config.pre_deploy_command is not None,
            )
        elif told is not None:
            phase = transition(told.phase, type(event))
            told.ends += phase.ended and not told.phase.ended
            told.phase = phase
            if isinstance(event, CutoverStarted):
                told.cutover = recorded.sequence
            self._container(about, told, recorded)
        else:
            self._project(recorded)

    def _container(self, about: UUID, told: Told, recorded: Recorded[Event]) -> None:
        match recorded.event:
            case ContainerStarted(container=name, address=address):
                self.stopped.pop(address, None)
                known = told.boxes.get(name)
                began = recorded.sequence if known is None else known.began
                replica = recorded.event.replica
                told.boxes[name] = Box(address, (about, address) in self.proven, replica=replica, began=began)
            case DeploymentScaled(replicas=replicas):
                told.replicas = replicas
            case RestartRequested():
                self.restarts[recorded.metadata.id] = recorded.sequence
            case RestartSucceeded(request=request) | RestartFailed(request=request):
                self.restarted[request] = self.restarted.get(request, 0) + 1
            case PreDeploySucceeded():
                told.waits_for_command = False
            case ContainerPaused(container=name):
                told.boxes[name].state = "paused"
            case ContainerResumed(container=name):
                told.boxes[name].state = "running"
            case ContainerStopped(container=name):
                told.boxes[name].state = "stopped"
                self.stopped[told.boxes[name].address] = recorded.sequence
                self._went_down(told, recorded, recorded.event)
            case Healthy(container=name) if name in told.boxes:
                told.boxes[name].proven = True
                told.down_since = None
                self.proven.add((about, told.boxes[name].address))
            case _:
                pass

    def _went_down(self, told: Told, recorded: Recorded[Event], event: ContainerStopped) -> None:
        if told.phase is Phase.CUTOVER:
            told.crashed |= not event.from_outside
            if all(box.state == "stopped" for box in told.boxes.values()):
                told.down_since = told.down_since or recorded.metadata.time

    def _project(self, recorded: Recorded[Event]) -> None:
        self.parts.fold(recorded)
        match recorded.event:
            case ProjectCreated(slug=slug):
                self.slugs[recorded.project] = slug
            case EnvironmentCreated(environment=environment, production=True):
                self.production.add(environment)
            case RollbackRequested(to=to) | PromotionRequested(to=to) | WeightRequested(to=to):
                self.switches[recorded.metadata.id] = Switch(recorded.project, to, recorded.sequence)
            case RestoreRequested(before=failed, to=to):
                self.switches[recorded.metadata.id] = Switch(recorded.project, to, recorded.sequence, failed)
            case AliasesChanged() as change:
                self._held(recorded.project, change)
                self._moved(recorded, change)
            case WeightChanged(why=why, request=request) if request in self.switches:
                self.switches[request].moved = 0 if why == "compensation" else recorded.sequence
            case EnvironmentReleased(environment=environment):
                self._released(recorded, environment)
            case RoutesApplied(generation=generation):
                self._applied(recorded.project, generation)
            case RoutesFailed(request=request):
                self._answer(request)
            case _:
                pass

    def _applied(self, project: UUID, generation: int) -> None:
        self.applied[project] = max(generation, self.applied.get(project, 0))
        for identity, switch in list(self.switches.items()):
            if switch.project == project and 0 < switch.moved <= generation:
                self._answer(identity)

    def _released(self, recorded: Recorded[Event], environment: UUID) -> None:
        for known in (self.holds, self.held_before):
            holds = known.get(recorded.project, {})
            if holds.get(environment, 0) is None:
                known[recorded.project] = {**holds, environment: recorded.sequence}

    def _answer(self, identity: UUID) -> None:
        self.answered[identity] = self.answered.get(identity, 0) + 1
        self.switches.pop(identity, None)

    def _held(self, project: UUID, change: AliasesChanged) -> None:
        """Fold what the change does to the project's holds."""
        told = None if change.deployment is None else self.deployments.get(change.deployment)
        if change.why == "compensation":
            self.holds[project] = dict(self.held_before.get(project, {}))
        if change.why == "restore":
            self.held_before[project] = self.holds.get(project, {})
        if change.why not in {"cutover", "promotion", "rollback", "rollout"}:
            return
        if change.why == "cutover" and told is not None:
            told.held_back = self.is_held_back(told)
        moved = {one.alias.environment for one in change.moves if one.alias.kind == "environment"} - {None}
        holds = self.held_before[project] = self.holds.get(project, {})
        self.holds[project] = {one: at for one, at in holds.items() if one not in moved}
        if change.why == "rollback":
            self.holds[project] |= {one: None for one in moved if one is not None}

    def is_held_back(self, told: Told) -> bool:
        """Tell whether a rollback keeps a deployment from its environment's addresses."""
        released = self.holds.get(told.project, {}).get(told.environment, 0)
        return told.pushed and (released is None or told.sequence < released)

    def _moved(self, recorded: Recorded[Event], change: AliasesChanged) -> None:
        switch = None if change.request is None else self.switches.get(change.request)
        if switch is not None:
            switch.moved = recorded.sequence if change.why != "compensation" else 0
        for move in change.moves:
            alias = move.alias
            known = self.addresses.setdefault(alias.name, Address(alias.kind, alias.environment, recorded.project))
            known.current, known.previous = self._holder(known, move.after, switch), known.current
            known.changed, known.why = recorded.sequence, change.why

    def _holder(self, known: Address, after: UUID | None, switch: Switch | None) -> Holder | None:
        if after is None:
            return None
        if switch is not None and switch.to == after:
            # What is restored is asked for neither later nor earlier than what failed.
            lasts = known.current is not None and switch.failed is not None
            return Holder(after, known.current.asked if lasts and known.current else switch.sequence)
        if known.previous is not None and known.previous.deployment == after:
            return known.previous
        return Holder(after, self.deployments[after].sequence)

    def answering(self, environment: UUID) -> set[UUID]:
        """Return the deployments that an environment's addresses point at."""
        return {
            one.current.deployment
            for one in self.addresses.values()
            if one.environment == environment and one.current is not None
        }

    @property
    def referenced(self) -> set[UUID]:
        """The deployments that answer at more than their own address."""
        return self.parts.deployments | {
            one.current.deployment
            for one in self.addresses.values()
            if one.kind != PER_DEPLOYMENT and one.current is not None
        }

    def own_address(self, environment: UUID) -> Address | None:
        """Return an environment's own address."""
        wanted = ("environment", environment)
        return next((one for one in self.addresses.values() if (one.kind, one.environment) == wanted), None)

    def was_live(self, environment: UUID) -> bool:
        return any(one.environment == environment and one.phase is Phase.LIVE for one in self.deployments.values())
