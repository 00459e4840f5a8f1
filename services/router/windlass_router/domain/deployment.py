"""What the router knows of a deployment: whose it is, how far it is, and where its containers answer."""

import re
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.config import RolloutStep
from windlass_contracts.event import Event
from windlass_contracts.events import CutoverStarted, DeploymentRequested
from windlass_contracts.events.deployment import GitSource, Source
from windlass_contracts.ids import EnvironmentId, ProjectId, TeamId
from windlass_contracts.lifecycle import Phase, transition
from windlass_contracts.replicas import ReplicaSet
from windlass_router.domain.loss import Loss, loss_after

_ENDED_WITHOUT_WINNING = frozenset({Phase.FAILED, Phase.CANCELED, Phase.SUPERSEDED})
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Deployment(BaseModel):
    """The row of a deployment. `routable` says whether requests can go to it, so that those few are found among all."""

    model_config = ConfigDict(frozen=True)

    team: TeamId
    project: ProjectId
    environment: EnvironmentId
    branch: str | None
    trigger: str
    requested_at: datetime
    requested_sequence: int
    phase: Phase
    replica_set: ReplicaSet
    ready_within: timedelta
    route_within: timedelta
    steps: tuple[RolloutStep, ...] = ()
    """By which it takes an environment that answers already; all of it at once without any."""
    healthy_at: datetime | None = None
    claimed: int = 0
    loss: Loss | None = None
    routable: bool = False

    @property
    def replicas(self) -> int:
        """How many containers are wanted."""
        return self.replica_set.wanted

    @property
    def healthy_containers(self) -> tuple[str, ...]:
        """The names of the containers that get requests and answer their probe now."""
        return self.replica_set.healthy

    @property
    def ready(self) -> bool:
        """Whether as many containers are healthy as should be."""
        return len(self.healthy_containers) >= self.replicas

    @property
    def servers(self) -> tuple[tuple[str, int], ...]:
        """Where requests go, in a stable order: to the healthy containers.

        While none is, they go to all that were seen healthy before: an app that restarts takes them as soon as it
        listens, and one that fails its probe may still answer.
        """
        serving = (self.replica_set.containers[name] for name in self.replica_set.serving)
        return tuple(sorted((one.address, one.port) for one in serving))

    @property
    def spare_since(self) -> int:
        """The last sequence since which some container gets no requests because it is surplus; 0 without one."""
        return max(self.replica_set.spare.values(), default=0)

    @property
    def lost(self) -> bool:
        """Whether it ended without winning, or will: its addresses are to be taken back, whatever the proxies say."""
        return self.phase in _ENDED_WITHOUT_WINNING or (self._is_down and self.loss is not None and self.loss.own)

    @property
    def recovering(self) -> bool:
        """Whether its containers went down during the cutover, and are being started again."""
        return self._is_down and not self.lost

    @property
    def stands_back(self) -> bool:
        """Whether who had its addresses before takes their requests: it is lost, or as long as it is recovering."""
        return self.lost or self.recovering

    @property
    def recovers_until(self) -> datetime:
        """When enough is to be healthy: so long after the first was, or after all that was went down again."""
        began = (self.requested_at, self.healthy_at, None if self.loss is None else self.loss.at)
        return max(one for one in began if one is not None) + self.ready_within

    @property
    def recovered(self) -> int:
        """The sequence at which it was healthy again after its containers went down; 0 where they never did."""
        return 0 if self.loss is None else self.loss.over

    @property
    def _is_down(self) -> bool:
        return self.phase is Phase.CUTOVER and self.loss is not None and not self.loss.over


def evolve(row: Deployment | None, recorded: Recorded[Event]) -> Deployment | None:
    """Fold one event into the row."""
    event = recorded.event
    if isinstance(event, DeploymentRequested):
        return _requested(recorded, event)
    if row is None:
        return None
    phase, replicas = transition(row.phase, type(event)), row.replica_set.after(recorded)
    changes: dict[str, object] = {
        "phase": phase,
        "replica_set": replicas,
        "loss": loss_after(row.loss, recorded, phase, replicas),
    }
    if isinstance(event, CutoverStarted):
        changes["claimed"] = recorded.sequence
    if row.healthy_at is None and phase is Phase.HEALTHY:
        changes["healthy_at"] = recorded.metadata.time
    changed = row.model_copy(update=changes)
    return changed.model_copy(update={"routable": bool(changed.servers)})


def _requested(recorded: Recorded[Event], event: DeploymentRequested) -> Deployment:
    deadlines = event.config.deadlines
    return Deployment(
        team=recorded.team,
        project=recorded.project,
        environment=event.environment,
        branch=_branch(event.source),
        trigger=event.trigger,
        requested_at=recorded.metadata.time,
        requested_sequence=recorded.sequence,
        phase=transition(None, DeploymentRequested),
        replica_set=ReplicaSet(wanted=event.config.replicas),
        ready_within=timedelta(seconds=deadlines.start_s + deadlines.health_s),
        route_within=timedelta(seconds=deadlines.route_s),
        steps=() if event.config.rollout is None else event.config.rollout.steps,
    )


def _branch(source: Source) -> str | None:
    """Return what was asked for by name; a commit has no name that could move on."""
    ref = source.ref if isinstance(source, GitSource) else None
    return None if ref is None or _COMMIT.fullmatch(ref) else ref.removeprefix("refs/heads/")
