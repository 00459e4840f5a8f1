"""A restart, step by step: one replica after the other gets a fresh container beside the one that it has.

The old one is surplus from the moment at which the fresh one is healthy, and goes as surplus does; then it is the next
replica's turn. Everything follows from the row, so that a crash between two steps costs nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from windlass_builder.domain.deployment import Deployment, Restart
from windlass_builder.domain.retirement import LookAgain, StayAsItIs
from windlass_contracts.events import RestartFailed, RestartSucceeded


@dataclass(frozen=True, slots=True)
class StartFresh:
    """A fresh container of this replica is to be started."""

    restart: Restart
    number: int


@dataclass(frozen=True, slots=True)
class EndRestart:
    """It is over."""

    event: RestartSucceeded | RestartFailed


Step = StartFresh | EndRestart | LookAgain | StayAsItIs


def next_step(row: Deployment, now: datetime, *, answering: bool) -> Step:
    """Return what is to be done about the restarts of a deployment; `answering` says that an address points at it."""
    if not row.restarts:
        return StayAsItIs()
    restart, *later = row.restarts
    if later:
        return EndRestart(
            failed(row, restart, "overtaken", "Another restart was asked for meanwhile: it goes on there.")
        )
    if not answering:
        return EndRestart(failed(row, restart, "replaced", "Another version took its addresses meanwhile."))
    for number in range(row.replicas):
        if (step := _of_replica(row, restart, number, now)) is not None:
            return step
    took = round((now - restart.asked_at) / timedelta(milliseconds=1))
    replaced = row.replica_set.renewed(restart.sequence)
    return EndRestart(RestartSucceeded(request=restart.request, replaced=replaced, duration_ms=max(0, took)))


def failed(row: Deployment, restart: Restart, code: str, reason: str) -> RestartFailed:
    """Return the end of a restart that goes no further."""
    return RestartFailed(
        request=restart.request, replaced=row.replica_set.renewed(restart.sequence), code=code, reason=reason[:1_000]
    )


def _of_replica(row: Deployment, restart: Restart, number: int, now: datetime) -> Step | None:
    """Return what is left to do for a replica; None where it has a fresh container, or had none at the request."""
    old, fresh = row.replica_set.divided(number, restart.sequence)
    if not fresh:
        return StartFresh(restart, number) if old else None
    name, youngest = fresh[-1]
    if youngest.proven and not any(one.present for _, one in old):
        return None
    if youngest.answers:
        return StayAsItIs()
    if not youngest.present:
        reason = f"The fresh container of replica {number + 1} ended before it was healthy; its log says why."
        return EndRestart(failed(row, restart, "exited", reason))
    return _awaited(row, restart, name, number, now)


def _awaited(row: Deployment, restart: Restart, name: str, number: int, now: datetime) -> Step:
    container, allowed = row.container(name), row.config.deadlines.health_s
    began = None if container is None else container.started_at
    until = (began or restart.asked_at) + timedelta(seconds=allowed)
    if now < until:
        return LookAgain(until)
    reason = f"The fresh container of replica {number + 1} was not healthy within {allowed} s; its log says why."
    return EndRestart(failed(row, restart, "not-healthy", reason))
