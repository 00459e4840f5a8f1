"""Whether a version that got an environment lately, or gets a part of its requests, has to give it back.

Decided from rows and counted answers alone. Who had the environment before takes it again; after that, as after a
rollback or a compensation, nobody watches: nothing swings to and fro.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from windlass_contracts.config import RestoreIn
from windlass_contracts.events import RestoreRequested
from windlass_contracts.ids import DeploymentId, EnvironmentId
from windlass_contracts.lifecycle import Phase
from windlass_monitor.domain.answers import Answers, Tally
from windlass_monitor.domain.deployment import Deployment, End, Health
from windlass_monitor.domain.place import Place
from windlass_monitor.domain.presence import Presence
from windlass_monitor.domain.reasons import briefly
from windlass_monitor.domain.routes import Routes, Turn

OPENED_BY = frozenset({"cutover", "promotion", "rollout"})
"""What gives a version an environment so that it is watched."""

MANY_ENDS = 3
ENDS_WITHIN = timedelta(minutes=10)
"""A container that ends so often within this time, in the window, ends again and again."""

NONE_HEALTHY_FOR = timedelta(seconds=30)
"""So long no container may be healthy; longer than an engine and what it runs take to start anew."""

ENOUGH_ANSWERS = 20
"""Of fewer answers within a minute no share is told: one failing request must not take a version back."""

ANSWERS_BY_ITSELF_AFTER = timedelta(seconds=5)
"""So long after it became healthy errors may still be the proxy's, which has its route back and is read just then."""

Deployments = Mapping[DeploymentId, Deployment]


@dataclass(frozen=True, slots=True)
class Window:
    """`version` is watched at an environment, because of the decision at `sequence`; `to` takes its place."""

    environment: EnvironmentId
    version: DeploymentId
    to: DeploymentId
    sequence: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Failing:
    """Why a version fails, in a word and in a sentence."""

    code: str
    reason: str


def open_windows(routes: Routes, place: Place, deployments: Deployments, now: datetime) -> Iterator[Window]:
    """Yield who is watched now, in the same order each time."""
    for environment, turn in sorted(routes.turns.items(), key=lambda one: one[0].hex):
        if turn.why in OPENED_BY and _lasts(turn, deployments, now):
            yield from _window(environment, turn, turn.before, routes, place, deployments)
    for environment, part in sorted(routes.parts.items(), key=lambda one: one[0].hex):
        rest = routes.turns.get(environment)
        yield from _window(environment, part, None if rest is None else rest.version, routes, place, deployments)


def _lasts(turn: Turn, deployments: Deployments, now: datetime) -> bool:
    version = deployments.get(turn.version)
    return (
        version is not None and turn.since is not None and now < turn.since + timedelta(seconds=version.watch.window_s)
    )


def _window(
    environment: EnvironmentId,
    turn: Turn,
    to: DeploymentId | None,
    routes: Routes,
    place: Place,
    deployments: Deployments,
) -> Iterator[Window]:
    version = deployments.get(turn.version)
    if version is None or to is None or to == turn.version or turn.since is None:
        return
    lives = all(one in deployments and deployments[one].phase is Phase.LIVE for one in (turn.version, to))
    told = turn.version in routes.taken_back.get(environment, ())
    if lives and not told and _is_wanted(version, environment, place):
        yield Window(environment, turn.version, to, turn.sequence, turn.since)


def _is_wanted(version: Deployment, environment: EnvironmentId, place: Place) -> bool:
    match version.watch.restore_in:
        case RestoreIn.NOWHERE:
            return False
        case RestoreIn.PRODUCTION:
            return environment in place.production
        case RestoreIn.EVERYWHERE:
            return True


def decide(
    window: Window, version: Deployment, answers: Answers, engine: Presence, now: datetime
) -> RestoreRequested | None:
    """Return what to append because the watched version fails; None while it does not.

    Nothing is held against it while the engine is away, nor, once that is back, that it went down with the engine.
    """
    settled = engine.settled_at(timedelta(seconds=version.health_s))
    if settled is None:
        return None
    earliest = max(window.since, settled) if engine.returned else window.since
    failing = (
        _ends_again_and_again(version, earliest, now)
        or (_is_unhealthy(window, version, now) if now >= settled else None)
        or _errs(version, answers)
    )
    if failing is None:
        return None
    return RestoreRequested(
        environment=window.environment, before=window.version, to=window.to, code=failing.code, reason=failing.reason
    )


def _ends_again_and_again(version: Deployment, since: datetime, now: datetime) -> Failing | None:
    earliest = max(since, now - ENDS_WITHIN)
    for name, ends in sorted(version.ends.items()):
        counted = [end for end in ends if end.at >= earliest]
        if len(counted) >= MANY_ENDS:
            often = f"Its container {name.rpartition('-')[2]} ended {len(counted)} times within"
            took = _minutes(counted[-1].at - counted[0].at)
            return Failing("exits", f"{often} {took}, the last time {_how(counted[-1])}.")
    return None


def _how(end: End) -> str:
    if end.out_of_memory:
        return "because it used more memory than it may"
    return "without an exit code" if end.exit_code is None else f"with exit code {end.exit_code}"


def _minutes(time: timedelta) -> str:
    minutes = int(time.total_seconds()) // 60 + 1
    return "a minute" if minutes == 1 else f"{minutes} minutes"


def _is_unhealthy(window: Window, version: Deployment, now: datetime) -> Failing | None:
    there = [one for one in version.containers if one.health is not Health.PAUSED]
    ill = [one for one in there if one.health is Health.UNHEALTHY or one.looping]
    if 2 * len(ill) > len(there):
        last = briefly(max(ill, key=lambda one: one.judged).code)
        alone = len(there) == 1
        who = "Its container fails its" if alone else f"{len(ill)} of its {len(there)} containers fail their"
        return Failing("unhealthy", f"{who} probe: {last}.")
    if version.none_healthy_since is None:
        return None
    if now - max(version.none_healthy_since, window.since) >= NONE_HEALTHY_FOR:
        seconds = int(NONE_HEALTHY_FOR.total_seconds())
        return Failing("unhealthy", f"For {seconds} s none of its containers has answered its probe.")
    return None


def answers_of(version: Deployment, tally: Tally, now: datetime) -> Answers:
    """Return what is counted of a version: nothing from when it, or the engine that it runs on, was not there.

    A proxy says 502 or 503 then; whether it is the version's fault is told by how often it ends, and for how long.
    """
    if version.healthy_since is None:
        return Answers()
    return tally.within_a_minute(now, version.healthy_since + ANSWERS_BY_ITSELF_AFTER)


def _errs(version: Deployment, answers: Answers) -> Failing | None:
    enough = answers.total >= ENOUGH_ANSWERS
    if not enough or answers.errors * 100 < version.watch.errors_percent * answers.total:
        return None
    counted = f"{answers.errors} of its {answers.total} answers within a minute"
    return Failing("errors", f"{counted} had a status of 500 or more.")
