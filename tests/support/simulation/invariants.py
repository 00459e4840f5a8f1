"""The invariants of the architecture by their numbers, and what else must hold: some always, all once at rest."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from support.simulation.ledger import PER_DEPLOYMENT, Address, Ledger, Told
from support.simulation.names import INSTALLATION
from support.simulation.node import is_before_start
from support.simulation.parts import Part
from support.simulation.people import Answer, Asked
from support.simulation.shares import faults_at_rest, faults_of
from windlass_builder.domain.workloads import Created, Exited, Running
from windlass_contracts.cloudevent import Recorded
from windlass_contracts.errors import ForbiddenTransitionError
from windlass_contracts.event import Event
from windlass_contracts.events import (
    AliasesChanged,
    ContainerStarted,
    Failed,
    ReleaseRetired,
    RestartFailed,
    RestartSucceeded,
    RestoreRequested,
    RoutesApplied,
    RoutesFailed,
    StorageReclaimed,
)
from windlass_contracts.events.deployment import Stage
from windlass_contracts.lifecycle import Phase
from windlass_contracts.subjects import Service
from windlass_eventlog.folding import AnyProjection, AnyRow, fold

if TYPE_CHECKING:
    from support.simulation.world import World

LIFECYCLE = "0 the log follows the lifecycle"
FORESEEN = "0 no handler fails in a way that nobody foresaw"
RESUMED = "1 what was begun is gone on with by its owner"
ENDS = "1 every accepted request has exactly one end"
HEALTHY = "2 a route points only at what was seen healthy, and is called applied once the proxy serves it"
ALWAYS = "3 an address that had a live version never points at nothing"
LATEST = "4 the latest request wins"
REBUILT = "5 a rebuilt projection equals the live one"
RUNS = "6 exactly what should run runs"
NETWORKS = "7 a container runs in its own project's network alone"
SECRETS = "8 no secret stands in an event or a line"
REFUSED = "9 a refusal changes nothing"
ONCE = "10 the command before the start runs at most once, and before the app"
DELETED = "11 what a node deletes is said once, or noted to be said"
FRESH = "14 a restart that succeeded left no container from before it"
POWERED = "16 what goes down during its cutover by nobody's fault becomes live"
HELD = "12 what a rollback holds back leaves its environment alone"
RESTORED = "13 what fails soon after it got an environment is taken back once, and nothing swings"
SHARED = "15 a part of an environment's requests goes to one version at most, as the log says, and not for ever"
OF_AN_ENVIRONMENT = frozenset({"environment", "environment-id", "domain"})
WATCHED = frozenset({"cutover", "promotion", "rollout"})
_AT_WORK_S = 40.0
"""Longer than a lost wake-up takes to come again, and what it asks for to be done."""
_MENDED_WITHIN_S = 80.0
"""Within this time a container is started again and seen healthy, where everybody is there who is needed for it."""
_DOMAIN = "localhost"


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that does not hold, and how that was seen."""

    invariant: str
    seen: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.seen}"


@dataclass(slots=True)
class Invariants:
    world: "World"
    ledger: Ledger = field(default_factory=Ledger)
    violation: Violation | None = None
    _served: dict[str, frozenset[str]] = field(default_factory=dict)
    _restored: set[tuple[UUID, UUID]] = field(default_factory=set)

    def violate(self, invariant: str, seen: str) -> None:
        self.violation = self.violation or Violation(invariant, seen)

    @property
    def unfinished(self) -> bool:
        """Whether somebody still waits for an answer."""
        restarting = self.ledger.restarts.keys() - self.ledger.restarted.keys()
        return bool(self.ledger.switches or restarting) or any(
            not one.phase.ended for one in self.ledger.deployments.values()
        )

    def appended(self, recorded: Recorded[Event]) -> None:
        """Look at an event that was appended just now."""
        held = {name: one.current for name, one in self.ledger.addresses.items()}
        for fault in faults_of(self.ledger, recorded):
            self.violate(SHARED, fault)
        try:
            self.ledger.fold(recorded)
        except ForbiddenTransitionError as error:
            self.violate(LIFECYCLE, f"#{recorded.sequence}: {error}")
            return
        self._check_restart(recorded)
        self._check_lost(recorded)
        match recorded.event:
            case AliasesChanged(why=why, moves=moves) if why != "compensation":
                for name in (move.alias.name for move in moves):
                    before, after = held.get(name), self.ledger.addresses[name].current
                    if before is not None and after is not None and after.asked < before.asked:
                        self.violate(LATEST, f"{name} leaves {before.deployment.hex[:8]} for an older request")
                self._check_held(recorded.event)
                self._check_moves(recorded.event)
            case RestoreRequested() as wish:
                self._check_restored(recorded, wish)
            case ContainerStarted(container=name) if self.ledger.deployments[recorded.key.id].waits_for_command:
                self.violate(ONCE, f"{name} was started before the command that comes first had succeeded")
            case RoutesApplied(generation=generation):
                self._check_applied(recorded.project, generation)
            case Failed(stage=Stage.DEADLINE, code=code) | RoutesFailed(stage=Stage.DEADLINE, code=code):
                self._check_abandoned(recorded, Service(code.rpartition("-")[2]))
            case _:
                pass

    def _check_held(self, change: AliasesChanged) -> None:
        told = None if change.deployment is None else self.ledger.deployments[change.deployment]
        taken = [one.alias.name for one in change.moves if one.alias.kind in OF_AN_ENVIRONMENT]
        if change.why == "cutover" and told is not None and told.held_back and taken:
            self.violate(HELD, f"{taken} go to a push, although a rollback holds them")

    def _check_restored(self, recorded: Recorded[Event], wish: RestoreRequested) -> None:
        seen = f"#{recorded.sequence} wants {wish.to.hex[:8]} instead of {wish.before.hex[:8]}"
        if (wish.environment, wish.before) in self._restored:
            self.violate(RESTORED, f"{seen} once more")
        self._restored.add((wish.environment, wish.before))
        own, part = self.ledger.own_address(wish.environment), self.ledger.parts.now.get(wish.environment)
        assert own is not None
        if part is not None and part.deployment == wish.before:
            if own.current is None or own.current.deployment != wish.to:
                self.violate(RESTORED, f"{seen}, which does not get the rest of the requests")
        else:
            self._check_turn(wish, own, seen)
        if any(self.ledger.deployments[one].phase is not Phase.LIVE for one in (wish.before, wish.to)):
            self.violate(RESTORED, f"{seen}, and not both were live")

    def _check_turn(self, wish: RestoreRequested, own: Address, seen: str) -> None:
        if own.current is None or own.current.deployment != wish.before or own.why not in WATCHED:
            self.violate(RESTORED, f"{seen}, which has it by a {own.why}")
        if own.previous is None or own.previous.deployment != wish.to:
            self.violate(RESTORED, f"{seen}, which was not the one before")

    def _check_moves(self, change: AliasesChanged) -> None:
        switch = None if change.request is None else self.ledger.switches.get(change.request)
        if switch is None or change.why != "restore":
            return
        for move in change.moves:
            if move.alias.kind != PER_DEPLOYMENT and (move.before, move.after) != (switch.failed, switch.to):
                self.violate(RESTORED, f"{move.alias.name} is moved, though it did not answer with what failed")

    def _check_restart(self, recorded: Recorded[Event]) -> None:
        """Look at the end of a restart; one that waits for proxies that are away is rightly given up."""
        match recorded.event:
            case RestartSucceeded(request=request):
                self._check_fresh(self.ledger.deployments[recorded.key.id], request)
            case RestartFailed(code="deadline") if self._confirms():
                self._check_abandoned(recorded, Service.BUILDER)
            case _:
                pass

    def _confirms(self) -> bool:
        """Tell whether router and proxies had all that they need for a while."""
        proxies = self.world.loop.time() > self.world.proxy.away_until + _AT_WORK_S
        return proxies and self.world.was_at_work(Service.ROUTER, _AT_WORK_S)

    def _check_fresh(self, told: Told, request: UUID) -> None:
        for name, box in told.boxes.items():
            old = box.state != "stopped" and box.replica < told.replicas and box.began < self.ledger.restarts[request]
            if old:
                self.violate(FRESH, f"{name} is still there after restart {request.hex[:8]}")

    def _check_abandoned(self, recorded: Recorded[Event], owner: Service) -> None:
        if self.world.was_at_work(owner, _AT_WORK_S) and self.world.was_at_work(Service.GATEWAY, 0):
            self.violate(RESUMED, f"{recorded.key.id.hex[:8]} was given up by the gateway, but the {owner} is there")

    def _check_lost(self, recorded: Recorded[Event]) -> None:
        """Look at a deployment that failed because it lost its containers: its app ended, or nobody could mend that."""
        if not isinstance(recorded.event, Failed) or recorded.event.code != "containers-lost":
            return
        identity, told = recorded.key.id, self.ledger.deployments[recorded.key.id]
        if told.crashed:
            return
        waited = timedelta(0) if told.down_since is None else recorded.metadata.time - told.down_since
        mending = all(self.world.was_at_work(one, _MENDED_WITHIN_S) for one in (Service.BUILDER, Service.MONITOR))
        if waited < told.healthy_within or (mending and not self.world.node.sick.intersection(told.boxes)):
            self.violate(POWERED, f"{identity.hex[:8]} failed, though its app never ended by itself, after {waited}")

    def unforeseen(self) -> None:
        """Look at errors of handlers and other tasks that nobody foresaw."""
        for complaint in self.world.loop.complaints:
            self.violate(FORESEEN, repr(complaint))
        for service, consumer in self.world.consumers.items():
            for broken in consumer.broken:
                self.violate(FORESEEN, f"{service}, {broken.reactor}: {broken.error!r}")

    def _check_applied(self, project: UUID, generation: int) -> None:
        for name, address in self.ledger.addresses.items():
            if address.project != project or address.kind == PER_DEPLOYMENT or address.changed > generation:
                continue
            part = self._part(address)
            if self._weighed(address) > generation:
                continue
            router = self.world.proxy.router_of(f"{name}.{_DOMAIN}")
            wanted = None if address.current is None else f"d-{address.current.deployment.hex}"
            if wanted is not None and part is not None:
                wanted += f"-with-{part.deployment.hex}-{part.percent}"
            if router != wanted:
                self.violate(HEALTHY, f"{name} is called applied as of {generation}, but goes to {router}")

    def touched(self, what: str, name: str) -> None:
        """Look at what the builder is about to do to a container."""
        if not name.startswith(f"windlass-{INSTALLATION}-"):
            self.violate(RUNS, f"{name} is nobody's to {what}")
        runner = self.world.node.living.get(name)
        ran = name in self.world.node.born or (runner is not None and not isinstance(runner.state, Created))
        if what == "start" and is_before_start(name) and ran:
            self.violate(ONCE, f"{name} is about to be started again")
        if what not in {"pause", "stop", "remove"} or runner is None or not isinstance(runner.state, Running):
            return
        for host, servers in self._served.items():
            if f"http://{runner.address}" in servers and self._had_live_version(host):
                self.violate(ALWAYS, f"{name} is about to {what} while {host} goes there")

    def _had_live_version(self, host: str) -> bool:
        address = self.ledger.addresses.get(host.removesuffix(f".{_DOMAIN}"))
        if address is None or address.environment is None:
            return False
        taken_back = address.why == "compensation" and address.current is None  # nobody had it before
        return not taken_back and self.ledger.was_live(address.environment)

    def served(self) -> None:
        """Look at what the proxy serves from now on."""
        before, self._served = self._served, {}
        for name, address in self.ledger.addresses.items():
            if address.kind == PER_DEPLOYMENT:
                continue
            host = f"{name}.{_DOMAIN}"
            parts = self.world.proxy.parts(host)
            if parts is None:
                continue
            self._served[host] = frozenset(url for _, urls in parts.values() for url in urls)
            for service, (_, servers) in parts.items():
                self._check_proven(host, service, servers)
        lasting, running = self._lasting(), self._running()
        for host, left in before.items():
            now = self._served.get(host, frozenset())
            if left & lasting and not now & running and self._had_live_version(host) and not self._fell(host):
                self.violate(ALWAYS, f"{host} leaves what runs for {set(now)}")

    def _fell(self, host: str) -> bool:
        """Tell whether what a host goes to now ended by itself, when the decision to go there was made already."""
        holder = self.ledger.addresses[host.removesuffix(f".{_DOMAIN}")].current
        if holder is None:
            return False
        address = self.ledger.addresses[host.removesuffix(f".{_DOMAIN}")]
        decided = max(self.ledger.deployments[holder.deployment].cutover, holder.asked, self._weighed(address))
        known = self.ledger.stopped
        return any(
            address in self.world.node.fallen and known.get(address, decided + 1) > decided
            for address in map(_host_of, self._served.get(host, ()))
        )

    def _part(self, address: Address) -> Part | None:
        """Return who gets a part of the requests at an address besides what has it."""
        if address.environment is None or address.kind not in OF_AN_ENVIRONMENT:
            return None
        return self.ledger.parts.now.get(address.environment)

    def _weighed(self, address: Address) -> int:
        """Return at which sequence it changed last who gets a part of the requests at an address."""
        if address.environment is None or address.kind not in OF_AN_ENVIRONMENT:
            return 0
        return self.ledger.parts.changed.get(address.environment, 0)

    def _check_proven(self, host: str, service: str, servers: list[str]) -> None:
        deployment = UUID(hex=service.removeprefix("d-"))
        for server in servers:
            address = _host_of(server)
            if (deployment, address) not in self.ledger.proven:
                self.violate(HEALTHY, f"{host} goes to {address}, where {service} was never seen healthy")

    def _running(self) -> frozenset[str]:
        living = self.world.node.living.values()
        return frozenset(f"http://{one.address}" for one in living if isinstance(one.state, Running))

    def _lasting(self) -> frozenset[str]:
        """Return where containers run that never ended by themselves: whoever leaves those does it without need."""
        node = self.world.node
        lasting = (one for one in node.living.values() if one.name not in node.by_itself)
        return frozenset(f"http://{one.address}" for one in lasting if isinstance(one.state, Running))

    def refused(self, asked: Asked, _before: int) -> None:
        """Look at somebody whose wish was refused."""
        for sequence in range(1, self.world.log.length + 1):
            recorded = self.world.log.at(sequence)
            if recorded.metadata.actor == asked.actor:
                self.violate(REFUSED, f"{asked.actor} was refused ({asked.why}), but #{sequence} is by them")

    def at_rest(self) -> Violation | None:
        """Look at everything once nothing happens any more."""
        self._check_ends()
        self._check_latest()
        self._check_served()
        self._check_rebuilt()
        self._check_running()
        self._check_secrets()
        self._check_deleted()
        for fault in faults_at_rest(self.world, self.ledger):
            self.violate(SHARED, fault)
        return self.violation

    def _check_ends(self) -> None:
        for identity, told in self.ledger.deployments.items():
            if not told.phase.ended or told.ends != 1:
                self.violate(ENDS, f"deployment {identity.hex[:8]} is {told.phase}, after {told.ends} ends")
        for request in self.ledger.switches:
            self.violate(ENDS, f"the rollback {request.hex[:8]} has no answer")
        for request, answers in self.ledger.answered.items():
            if answers != 1:
                self.violate(ENDS, f"the rollback {request.hex[:8]} has {answers} answers")
        for request in self.ledger.restarts:
            if (answers := self.ledger.restarted.get(request, 0)) != 1:
                self.violate(ENDS, f"the restart {request.hex[:8]} has {answers} answers")
        self._check_promises()

    def _check_promises(self) -> None:
        for asked in self.world.people.asked:
            for promised in asked.gave if asked.answer is Answer.ACCEPTED else ():
                if promised not in self.ledger.deployments:
                    self.violate(ENDS, f"{asked.actor} was promised {promised.hex[:8]}, which is nowhere")

    def _check_latest(self) -> None:
        for name, address in self.ledger.addresses.items():
            holder = address.current
            if address.kind != "environment" or address.environment is None:
                continue
            for identity, told in self.ledger.deployments.items():
                if told.environment != address.environment or told.phase is not Phase.LIVE:
                    continue
                late = not told.held_back and (holder is None or told.sequence > holder.asked)
                if late and not self._may_have_less(identity, told) and self._wins_environment(address.environment):
                    self.violate(LATEST, f"{name} does not answer with {identity.hex[:8]}, the later request")

    def _may_have_less(self, identity: UUID, told: Told) -> bool:
        """Tell whether a version that goes by steps, or by hand, has only a part of its environment, or lost that."""
        part = self.ledger.parts.now.get(told.environment)
        has_a_part = part is not None and part.deployment == identity
        ended = (told.environment, identity) in self.ledger.parts.ended
        return has_a_part or ended

    def _check_served(self) -> None:
        """Look whether every address goes to what runs of its deployment and was seen healthy there, if anything."""
        for name, address in self.ledger.addresses.items():
            if address.kind == PER_DEPLOYMENT or address.current is None:
                continue
            part, holder = self._part(address), address.current.deployment
            wanted = {holder: 100} if part is None else {holder: 100 - part.percent, part.deployment: part.percent}
            mine = {one: servers for one in wanted if (servers := self._answering(one))}
            percents = {one: wanted[one] if len(mine) > 1 else 100 for one in mine}
            parts = self.world.proxy.parts(f"{name}.{_DOMAIN}") or {}
            there = {UUID(hex=service[2:]): (percent, urls) for service, (percent, urls) in parts.items() if urls}
            right = all(set(urls) <= mine.get(one, set()) for one, (_, urls) in there.items())
            if not right or {one: percent for one, (percent, _) in there.items()} != percents:
                self.violate(HEALTHY, f"{name} goes to {there} at rest, where {mine} answer, with {percents} %")

    def _answering(self, deployment: UUID) -> set[str]:
        return {
            f"http://{one.address}"
            for one in self.world.node.living.values()
            if one.deployment == deployment and (deployment, one.address.host) in self.ledger.proven
        }

    def _wins_environment(self, environment: UUID) -> bool:
        """Elsewhere than in production a version may be live at its branch alone."""
        return environment in self.ledger.production

    def _check_rebuilt(self) -> None:
        events = [self.world.log.at(sequence) for sequence in range(1, self.world.log.length + 1)]
        rebuilt: dict[AnyProjection, dict[UUID, AnyRow]] = {}
        for service, live in self.world.rows.items():
            assert live.position == len(events)
            for projection in live.projections:
                if projection not in rebuilt:  # several services keep dead letters
                    folded = fold(projection, {}, events)
                    rebuilt[projection] = {key: row for key, row in folded.items() if row is not None}
                if rebuilt[projection] != live._of(projection):
                    self.violate(REBUILT, f"{service}'s {projection.name}")

    def _check_running(self) -> None:
        node, referenced = self.world.node, self.ledger.referenced
        running = {name for name, one in node.living.items() if isinstance(one.state, Running)}
        there = {name for name, one in node.living.items() if not isinstance(one.state, Exited)}
        for identity, told in self.ledger.deployments.items():
            wanted = identity in referenced and told.phase is Phase.LIVE
            mine = {name for name in there if node.living[name].deployment == identity}
            if not wanted and mine:
                self.violate(RUNS, f"{identity.hex[:8]} is {told.phase} and unreferenced, but {mine} are there")
            sick = len(mine & node.sick)  # each may have a healthy one of a replica beyond the number beside it
            enough = told.replicas <= len(mine & running) <= told.replicas + sick
            if wanted and (not enough or not mine <= node.kept):
                self.violate(RUNS, f"{identity.hex[:8]} answers, but of {told.replicas} containers {mine} run")
            self._check_network(identity, told)
        for name, runner in node.living.items():
            if is_before_start(name):
                self.violate(RUNS, f"{name} was left behind")
            if runner.deployment not in self.ledger.deployments:
                self.violate(RUNS, f"{name} is nobody's")

    def _check_network(self, identity: UUID, told: Told) -> None:
        for runner in self.world.node.living.values():
            network = f"10.{self.world.node.networks.get(told.project)}."
            if runner.deployment == identity and not runner.address.host.startswith(network):
                self.violate(NETWORKS, f"{runner.name} is at {runner.address}")

    def _check_deleted(self) -> None:
        owed = Counter(intent.event.name for intent in self.world.intents.noted())
        said = Counter[str]()
        for sequence in range(1, self.world.log.length + 1):
            match self.world.log.at(sequence).event:
                case ReleaseRetired(release=release):
                    owed[release] += 1
                case StorageReclaimed(name=name, kind=kind):
                    said[name] += 1
                    owed[name] -= kind == "release"
        did = Counter(self.world.node.deleted)
        for name in did.keys() | said.keys():
            if not said[name] <= did[name] <= said[name] + max(0, owed[name]):
                self.violate(DELETED, f"{name} was deleted {did[name]} times, and that was said {said[name]} times")

    def _check_secrets(self) -> None:
        bodies = self.world.log.bodies()
        lines = b"\n".join(
            line.text.encode()
            for batches in self.world.lines._batches.values()
            for batch in batches
            for line in batch.lines
        )
        for secret in self.world.people.secrets:
            if secret.encode() in bodies or secret.encode() in lines:
                self.violate(SECRETS, f"{secret} is to be read")


def _host_of(server: str) -> str:
    return server.removeprefix("http://").rsplit(":", 1)[0]
