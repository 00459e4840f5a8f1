"""The matrix of kill tests: who is killed, and at which point of which story."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest

from windlass_eventlog.failpoints import Reached


class Action(StrEnum):
    """What is under way when somebody is killed."""

    DEPLOYMENT = "deployment"
    ROLLBACK = "rollback"


SERVERS = {"NATS": "nats-server", "PostgreSQL": "postgres", "Traefik": "traefik"}
"""The servers of an installation, as its supervisor calls them, and the names of their processes."""


@dataclass(frozen=True)
class KillCase:
    """`victim` is killed when `service`, which may be the victim itself, comes to `point` during `action`."""

    action: Action
    service: str
    point: str
    victim: str

    def __str__(self) -> str:
        return f"{self.victim} at {self.service}'s {self.point} in a {self.action}"


def full_matrix(points: Mapping[Action, Sequence[Reached]]) -> Sequence[KillCase]:
    """Return the cases of all points that undisturbed runs came to.

    A service is killed at each of its own points; a server behind each append and each effect, and where the first
    service is about to acknowledge an event. Neighbours in the order have different victims: who was just started
    again is left in peace for a while.
    """
    by_victim: dict[tuple[Action, str], list[KillCase]] = {}
    for action, reached in points.items():
        for service, point in dict.fromkeys((one.service, one.point) for one in reached):
            by_victim.setdefault((action, service), []).append(KillCase(action, service, point, service))
        for point, service in _of_servers(reached).items():
            for server in SERVERS:
                by_victim.setdefault((action, server), []).append(KillCase(action, service, point, server))
    return [case for cases in zip_longest(*by_victim.values()) for case in cases if case is not None]


def _of_servers(reached: Iterable[Reached]) -> dict[str, str]:
    """Return the points at which a server is killed, each with the first service that came there."""
    found: dict[str, str] = {}
    for one in reached:
        if not one.point.startswith(("before_append:", "after_ack:")):
            found.setdefault(one.point, one.service)
    return found


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
)
"""One of each kind: every victim, before and after appends, effects and acknowledgements, both actions."""
