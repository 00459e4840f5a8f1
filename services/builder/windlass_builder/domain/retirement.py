"""How a replaced version goes: it finishes what it was asked, is paused and kept warm, and then stopped.

Routes that left it are confirmed first; nothing is retired that an alias points at, that somebody asked to come back,
or that a cutover claimed since. A container with open connections goes on: a request, an event stream or a WebSocket
would freeze with it. It has the time for which it would be kept warm.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from windlass_builder.domain.deployment import Deployment
from windlass_builder.domain.routes import Routes
from windlass_contracts.ids import DeploymentId
from windlass_contracts.lifecycle import Phase


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


BETWEEN_LOOKS = timedelta(seconds=2)
"""When to look again at a container that is in use: nothing gives a sign when its last connection ends."""

ENDED_WITHOUT_WINNING = frozenset({Phase.FAILED, Phase.CANCELED, Phase.SUPERSEDED})

Step = StayAsItIs | LookAgain | Pause | Stop


def next_step(
    identity: DeploymentId, deployment: Deployment, routes: Routes, now: datetime, busy: Collection[str] = ()
) -> Step:
    """Return what is to be done about a deployment that was live; `busy` are its containers with open connections.

    One whose cutover failed never was: it is stopped as soon as the addresses that it had are confirmed to have left.
    """
    leaving = routes.leaving.get(identity)
    if leaving is None or leaving.idle_since is None or identity in routes.referenced:
        return StayAsItIs()
    if deployment.claimed_at > leaving.sequence or not deployment.present:
        return StayAsItIs()
    if deployment.phase in ENDED_WITHOUT_WINNING:
        return Stop(tuple(container.name for container in deployment.present))
    if deployment.phase is not Phase.LIVE:
        return StayAsItIs()
    return _cooled(deployment, leaving.idle_since, now, busy)


def _cooled(deployment: Deployment, idle_since: datetime, now: datetime, busy: Collection[str]) -> Step:
    rules = deployment.config.retirement
    pause_at = idle_since + timedelta(seconds=rules.drain_s + rules.grace_s)
    stop_at = pause_at + timedelta(seconds=rules.keep_warm_s)
    if now >= stop_at:
        return Stop(tuple(container.name for container in deployment.present))
    running = tuple(container.name for container in deployment.running)
    if not running or now < pause_at:
        return LookAgain(pause_at if running else stop_at)
    unused = tuple(name for name in running if name not in busy)
    return Pause(unused) if unused else LookAgain(min(now + BETWEEN_LOOKS, stop_at))
