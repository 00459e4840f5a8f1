"""When containers go that a live deployment does not need any more: once no request goes there, and none is under way.

The proxies confirm first that they send nothing there. What was begun before then has the time to end: a container with
open connections goes on for as long as it may take to end, and is told to end only then.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from windlass_builder.domain.deployment import Deployment
from windlass_builder.domain.retirement import BETWEEN_LOOKS, LookAgain, StayAsItIs
from windlass_builder.domain.routes import Routes
from windlass_contracts.replicas import Replica


@dataclass(frozen=True, slots=True)
class StopSurplus:
    """These containers are to be stopped now, each for the reason that goes with its name."""

    containers: dict[str, str]


def about_to_go(row: Deployment, routes: Routes, now: datetime) -> tuple[str, ...]:
    """Return the containers that go as soon as they are not in use."""
    return tuple(name for name in row.replica_set.spare if (left := _left_out(name, row, routes)) and left <= now)


def next_step(
    row: Deployment, routes: Routes, now: datetime, unused: Collection[str]
) -> StopSurplus | LookAgain | StayAsItIs:
    """Return what is to be done about the surplus containers; `unused` are those that have no open connections."""
    going, looks = dict[str, str](), list[datetime]()
    for name in row.replica_set.spare:
        replica = row.replica_set.containers[name]
        if not replica.proven:  # nobody ever sent anything there
            going[name] = _why(row, replica)
        elif (left := _left_out(name, row, routes)) is not None:
            last = left + timedelta(seconds=row.config.retirement.grace_s)
            if now >= last or (now >= left and name in unused):
                going[name] = _why(row, replica)
            else:
                looks.append(left if now < left else min(now + BETWEEN_LOOKS, last))
    if going:
        return StopSurplus(going)
    return LookAgain(min(looks)) if looks else StayAsItIs()


def _left_out(name: str, row: Deployment, routes: Routes) -> datetime | None:
    """Return when the last request that was sent there should have its answer; None while more may come."""
    confirmed = routes.confirmed(row.replica_set.spare[name])
    return None if confirmed is None else confirmed + timedelta(seconds=row.config.retirement.drain_s)


def _why(row: Deployment, replica: Replica) -> str:
    if replica.number >= row.replicas:
        return "scaled"
    outlived = any(one.answers and one.life > replica.life for _, one in row.replica_set.of_number(replica.number))
    return "replaced" if outlived else "not-healthy"
