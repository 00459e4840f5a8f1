"""The matrix of kill tests: who is killed, and at which point of which story."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest

from windlass_eventlog.failpoints import Reached


class Action(StrEnum):
    """What is under way when somebody is killed."""

    DEPLOYMENT = "deployment"
    ROLLBACK = "rollback"
    SEVERAL = "deployment of three containers"
    SEVERAL_BACK = "rollback to three containers"
    SUPERSEDING = "superseding"
    CANCEL = "cancel"
    RETIREMENT = "retirement"
    DOMAIN = "domain"
    RESTORING = "restoring"
    SCALING = "scaling"
    RESTART = "restart"
    ROLLOUT = "rollout"
    WEIGHING = "weight by hand"


SERVERS = {"NATS": "nats-server", "PostgreSQL": "postgres", "Traefik": "traefik"}
"""The servers of an installation, as its supervisor calls them, and the names of their processes."""

ENGINE, MACHINE = "engine", "machine"

_EVERYBODY = (Action.DEPLOYMENT, Action.ROLLBACK)
"""All services and servers are killed at each of their points in these."""
_WHAT_IS_NEW = (
    Action.RETIREMENT,
    Action.DOMAIN,
    Action.RESTORING,
    Action.SCALING,
    Action.RESTART,
    Action.ROLLOUT,
    Action.WEIGHING,
)
"""They come to the points of a deployment, too, which are not tried again."""
_MOVING = ("builder", "router", "monitor", "gateway")
_KEEPING = ("NATS", "PostgreSQL")


@dataclass(frozen=True)
class KillCase:
    """`victim` is killed when `service`, which may be the victim itself, comes to `point` during `action`."""

    action: Action
    service: str
    point: str
    victim: str

    def __str__(self) -> str:
        return f"{self.victim} at {self.service}'s {self.point} in a {self.action}"


def actions_with(words: Iterable[str]) -> Sequence[Action]:
    """Return the actions that may have cases with these words, and those that their points are compared with."""
    named = [action for word in words for action in Action if word in action]
    return [action for action in Action if not named or action in named or action in _EVERYBODY]


def full_matrix(points: Mapping[Action, Sequence[Reached]]) -> Sequence[KillCase]:
    """Return the cases of all points that undisturbed runs came to.

    A service is killed at each of its own points; a server behind each append and each effect, and where the first
    service is about to acknowledge an event. Actions other than a plain deployment and rollback leave out Traefik, the
    service of logs, and servers elsewhere than behind an append. Neighbours in the order have different victims: who
    was just started again is left in peace for a while.
    """
    by_victim: dict[tuple[Action, str], list[KillCase]] = {}
    for action in points:
        for case in _of_action(action, _worth(action, points)):
            by_victim.setdefault((action, case.victim), []).append(case)
    return [case for cases in zip_longest(*by_victim.values()) for case in cases if case is not None]


def _worth(action: Action, points: Mapping[Action, Sequence[Reached]]) -> Sequence[Reached]:
    """Return the points of an action, without those that were tried already where that is enough."""
    known = {(one.service, one.point) for broad in _EVERYBODY for one in points.get(broad, ())}
    return [one for one in points[action] if action not in _WHAT_IS_NEW or (one.service, one.point) not in known]


def _of_action(action: Action, reached: Sequence[Reached]) -> Iterator[KillCase]:
    broad = action in _EVERYBODY
    for service, point in dict.fromkeys((one.service, one.point) for one in reached):
        if broad or service in _MOVING:
            yield KillCase(action, service, point, service)
    for point, service in _of_servers(reached).items():
        if broad or (point.startswith("after_append:") and service in _MOVING):
            for server in SERVERS if broad else _KEEPING:
                yield KillCase(action, service, point, server)


def _of_servers(reached: Iterable[Reached]) -> dict[str, str]:
    """Return the points at which a server is killed, each with the first service that came there."""
    found: dict[str, str] = {}
    for one in reached:
        if not one.point.startswith(("before_append:", "after_ack:")):
            found.setdefault(one.point, one.service)
    return found


_MOMENTS = (
    (Action.DEPLOYMENT, "gateway", "after_append:deployment.requested.v1"),
    (Action.DEPLOYMENT, "builder", "after_append:build.started.v1"),
    (Action.DEPLOYMENT, "builder", "after_build:release"),
    (Action.DEPLOYMENT, "builder", "after_start:container"),
    (Action.DEPLOYMENT, "builder", "after_append:container.started.v1"),
    (Action.DEPLOYMENT, "monitor", "before_append:health.passed.v1"),
    (Action.DEPLOYMENT, "monitor", "after_append:health.passed.v1"),
    (Action.DEPLOYMENT, "router", "after_append:cutover.started.v1"),
    (Action.DEPLOYMENT, "router", "after_append:aliases.changed.v1"),
    (Action.DEPLOYMENT, "router", "after_write:routes"),
    (Action.DEPLOYMENT, "router", "before_append:deployment.live.v1"),
    (Action.DEPLOYMENT, "builder", "after_append:container.paused.v1"),
    (Action.DEPLOYMENT, "builder", "after_pause:container"),
    (Action.ROLLBACK, "gateway", "after_append:rollback.requested.v1"),
    (Action.ROLLBACK, "builder", "after_start:container"),
    (Action.ROLLBACK, "router", "after_append:aliases.changed.v1"),
    (Action.SEVERAL, "builder", "after_start:container"),
    (Action.SEVERAL, "router", "after_append:aliases.changed.v1"),
    (Action.SEVERAL_BACK, "builder", "after_append:container.resumed.v1"),
    (Action.SUPERSEDING, "builder", "after_append:deployment.superseded.v1"),
    (Action.CANCEL, "gateway", "after_append:deployment.canceled.v1"),
    (Action.CANCEL, "builder", "after_append:container.stopped.v1"),
    (Action.RETIREMENT, "builder", "after_append:container.stopped.v1"),
    (Action.RETIREMENT, "router", "after_write:routes"),
    (Action.RESTORING, "monitor", "after_append:restore.requested.v1"),
    (Action.SCALING, "gateway", "after_append:deployment.scaled.v1"),
    (Action.SCALING, "builder", "after_append:container.stopped.v1"),
    (Action.RESTART, "gateway", "after_append:restart.requested.v1"),
    (Action.RESTART, "builder", "after_start:container"),
    (Action.RESTART, "builder", "after_append:restart.succeeded.v1"),
    (Action.ROLLOUT, "router", "after_append:weight.changed.v1"),
    (Action.WEIGHING, "gateway", "after_append:weight.requested.v1"),
    (Action.WEIGHING, "gateway", "after_append:rollout.stopped.v1"),
)
"""Each step of what an app may live through: the engine and the machine die there."""


def of_machines(words: Iterable[str]) -> Sequence[KillCase]:
    """Return the cases of the engine and the machine that have these words, one after the other in turn."""
    cases = (KillCase(*moment, victim) for moment in _MOMENTS for victim in (ENGINE, MACHINE))
    return [case for case in cases if all(word in str(case) for word in words)]


def _deploying(service: str, point: str, victim: str | None = None) -> KillCase:
    return KillCase(Action.DEPLOYMENT, service, point, victim or service)


def _rolling_back(service: str, point: str, victim: str | None = None) -> KillCase:
    return KillCase(Action.ROLLBACK, service, point, victim or service)


REPRESENTATIVE = (
    _deploying("gateway", "after_append:deployment.requested.v1"),
    _deploying("builder", "after_append:build.started.v1", "NATS"),
    _deploying("builder", "after_start:container"),
    _deploying("router", "after_append:aliases.changed.v1"),
    _deploying("monitor", "after_append:health.passed.v1"),
    _deploying("builder", "after_append:build.succeeded.v1", "PostgreSQL"),
    _deploying("router", "after_write:routes", "Traefik"),
    _rolling_back("gateway", "after_append:rollback.requested.v1"),
    _rolling_back("router", "after_append:aliases.changed.v1", "NATS"),
    _rolling_back("builder", "after_append:container.resumed.v1"),
    _deploying("logs", "before_ack:container.started.v1"),
    _rolling_back("router", "before_append:routes.applied.v1", "PostgreSQL"),
    KillCase(Action.CANCEL, "gateway", "after_append:deployment.canceled.v1", "gateway"),
    KillCase(Action.SEVERAL, "builder", "after_start:container", "builder"),
)
"""One of each kind: every victim, before and after appends, effects and acknowledgements, the common actions."""
