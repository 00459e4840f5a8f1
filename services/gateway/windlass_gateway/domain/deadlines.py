"""What is awaited of whom, and until when: the one source of `explain` and of the deadline keeper."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from windlass_contracts.events import Failed, RestartFailed, RoutesFailed
from windlass_contracts.events.deployment import Stage
from windlass_contracts.ids import EventId
from windlass_contracts.lifecycle import Phase
from windlass_contracts.subjects import Service
from windlass_gateway.domain.container import ContainerState
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.restart import Restart
from windlass_gateway.domain.routes import SwitchRequest

MARGIN = timedelta(seconds=30)
"""How much later than the deadline the gateway gives up: the owner's own answer, even late, says more."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """What has to happen next, who does it, and by when it does or fails."""

    step: str
    owner: Service
    since: datetime
    allowed: timedelta

    @property
    def until(self) -> datetime:
        return self.since + self.allowed

    @property
    def given_up_at(self) -> datetime:
        """When the gateway ends it, should the owner stay away."""
        return self.until + MARGIN


def awaited(row: Deployment) -> Awaited | None:
    """Return what a deployment waits for; None once it ended."""
    limits, replicas = row.config.deadlines, row.replicas
    match row.phase:
        case Phase.REQUESTED:
            what = ("the source to be fetched", Service.BUILDER, limits.queued_s + limits.fetch_s)
        case Phase.BUILDING:
            what = ("the build to succeed", Service.BUILDER, limits.fetch_s + limits.build_s)
        case Phase.BUILT if row.waits_for_pre_deploy:
            what = ("its pre-deploy command to succeed", Service.BUILDER, limits.pre_deploy_s)
        case Phase.BUILT:
            what = ("its container to start", Service.BUILDER, limits.start_s)
        case Phase.STARTED:
            what = ("its probe to be answered", Service.MONITOR, limits.health_s)
        case Phase.HEALTHY if row.healthy_containers() < replicas:
            step = f"all {replicas} containers to answer their probe"
            what = (step, _missing(row), limits.start_s + limits.health_s)
        case Phase.HEALTHY:
            what = ("the cutover to begin", Service.ROUTER, limits.health_s + limits.route_s)
        case Phase.CUTOVER:
            what = _of_cutover(row)
        case Phase.LIVE | Phase.FAILED | Phase.CANCELED | Phase.SUPERSEDED:
            return None
        case _:
            assert_never(row.phase)
    step, owner, seconds = what
    return Awaited(step, owner, row.since, timedelta(seconds=seconds))


def _of_cutover(row: Deployment) -> tuple[str, Service, int]:
    """Return what a cutover waits for; containers that went down during it have to start and be healthy again first."""
    limits = row.config.deadlines
    if row.is_down:
        again = limits.start_s + limits.health_s
        return "its containers, which went down, to be healthy again", Service.ROUTER, again + limits.route_s
    return "the new routes to be confirmed", Service.ROUTER, limits.route_s


def _missing(row: Deployment) -> Service:
    """Return whose word is missing where not all containers are healthy."""
    states = [one.state for one in row.containers if one.state is not ContainerState.STOPPED]
    if len(states) < row.replicas:
        return Service.BUILDER
    if ContainerState.STARTED in states:
        return Service.MONITOR
    return Service.ROUTER  # all were judged: it ends what is not healthy in time


def awaited_switch(request: SwitchRequest, target: Deployment) -> Awaited:
    """Return what a way back or a promotion waits for: the target has to run, answer its probe, and be routed to."""
    limits = target.config.deadlines
    allowed = timedelta(seconds=limits.start_s + limits.health_s + limits.route_s)
    return Awaited("the earlier version to answer", Service.ROUTER, request.requested_at, allowed)


def awaited_restart(row: Deployment, restart: Restart) -> Awaited:
    """Return what a restart waits for: the next container has to start and to be healthy, the old one to go."""
    limits, rules = row.config.deadlines, row.config.retirement
    going = limits.route_s + rules.drain_s + 2 * rules.grace_s
    allowed = timedelta(seconds=limits.start_s + limits.health_s + going)
    return Awaited("the next container to give way to a fresh one", Service.BUILDER, restart.since, allowed)


def decide_failure(row: Deployment, now: datetime) -> Failed | None:
    """Return the end of a deployment whose owner stayed away for too long; None while there is time."""
    waiting = awaited(row)
    if waiting is None or now < waiting.given_up_at:
        return None
    return Failed(stage=Stage.DEADLINE, code=f"{row.phase}-abandoned-by-{waiting.owner}", reason=_reason(waiting))


def decide_switch_failure(
    identity: EventId, request: SwitchRequest, target: Deployment, now: datetime
) -> RoutesFailed | None:
    """Return the end of a rollback, promotion or restoring that nobody answered; None while there is time."""
    waiting = awaited_switch(request, target)
    if now < waiting.given_up_at:
        return None
    code = f"switch-abandoned-by-{waiting.owner}"
    return RoutesFailed(request=identity, stage=Stage.DEADLINE, code=code, reason=_reason(waiting))


def decide_restart_failure(row: Deployment, now: datetime) -> RestartFailed | None:
    """Return the end of the first restart that nobody went on with for too long; None while there is time."""
    for restart in row.restarts:
        waiting = awaited_restart(row, restart)
        if now >= waiting.given_up_at:
            replaced = row.replica_set.renewed(restart.sequence)
            seconds = int((waiting.given_up_at - waiting.since).total_seconds())
            reason = (
                f"Waited {seconds} s for {waiting.step}: `windlass doctor` shows whether the builder, the router and "
                "the proxies run."
            )
            return RestartFailed(request=restart.request, replaced=replaced, code="deadline", reason=reason)
    return None


def _reason(waiting: Awaited) -> str:
    seconds = int((waiting.given_up_at - waiting.since).total_seconds())
    return (
        f"Waited {seconds} s for {waiting.step}, but the {waiting.owner} gave no answer: "
        f"`windlass doctor` shows whether it runs."
    )
