"""How a replaced version goes: it finishes what it was asked, is paused and kept warm, and then stopped.

Routes that left it are confirmed first; nothing is retired that an alias points at, that somebody asked to come back,
or that a cutover claimed since.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from windlass_builder.domain.deployment import ContainerState, Deployment
from windlass_builder.domain.routes import Routes
from windlass_contracts.ids import DeploymentId


@dataclass(frozen=True, slots=True)
class StayAsItIs:
    """There is nothing to do, now or later."""


@dataclass(frozen=True, slots=True)
class LookAgain:
    """There will be something to do then."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Pause:
    """These containers are to be paused now."""

    containers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """These containers are to be stopped and removed now."""

    containers: tuple[str, ...]


Step = StayAsItIs | LookAgain | Pause | Stop


def next_step(identity: DeploymentId, deployment: Deployment, routes: Routes, now: datetime) -> Step:
    """Return what is to be done about a deployment that was live."""
    leaving = routes.leaving.get(identity)
    if leaving is None or leaving.idle_since is None or identity in routes.referenced:
        return StayAsItIs()
    if deployment.claimed_at > leaving.sequence or not deployment.present:
        return StayAsItIs()
    rules = deployment.config.retirement
    pause_at = leaving.idle_since + timedelta(seconds=rules.drain_s + rules.grace_s)
    stop_at = pause_at + timedelta(seconds=rules.keep_warm_s)
    if now >= stop_at:
        return Stop(tuple(container.name for container in deployment.present))
    running = tuple(one.name for one in deployment.containers if one.state is ContainerState.RUNNING)
    if running and now >= pause_at:
        return Pause(running)
    return LookAgain(pause_at if running else stop_at)
