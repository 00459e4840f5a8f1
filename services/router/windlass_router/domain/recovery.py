"""Containers that went down during their cutover, with the engine or the machine, which is nobody's fault.

The builder starts them again, the monitor probes them, and they are waited for. Until one is healthy the proxies send
requests to who had the addresses before (`Pointer.answering`), without any decision: those containers are left to the
engine, which starts them before anybody else can start these. Addresses that have not moved stay where they are.
"""

from collections.abc import Iterator

from windlass_contracts.events import Failed
from windlass_contracts.events.deployment import Stage
from windlass_contracts.ids import DeploymentId
from windlass_contracts.lifecycle import Phase
from windlass_router.domain.deployment import Deployment
from windlass_router.domain.requests import RequestState
from windlass_router.domain.situation import Situation
from windlass_router.domain.steps import ConfirmRoutes, Step, WaitUntil

LOST, OUTRUN = "containers-lost", "outrun"


def await_recovery(situation: Situation) -> Iterator[Step]:
    """Wait for what has addresses already; once it is healthy, let the proxies confirm that they go there again."""
    for identity, row in situation.in_phase(Phase.CUTOVER):
        if not situation.routes.held_by(identity):
            continue
        if row.recovering:
            yield waited_for(row, alone=True)
        elif row.recovered > situation.routes.applied and row.loss is not None:
            since = row.loss.over_at or situation.now
            yield ConfirmRoutes(row.recovered, since, since + row.route_within)


def waited_for(row: Deployment, *, alone: bool = False) -> WaitUntil:
    """Return until when a deployment is waited for whose containers went down."""
    return WaitUntil(row.recovers_until, "its containers went down during the cutover, and start again", alone)


def given_up(identity: DeploymentId, row: Deployment, situation: Situation) -> Failed | None:
    """Return why what went down during its cutover is not waited for; None where it is, or did not go down."""
    if row.lost:
        return _failed(LOST, "All its containers stopped during the cutover; their log says why.")
    if not row.recovering:
        return None
    if situation.now >= row.recovers_until:
        within = f"{row.ready_within.total_seconds():g} s"
        reason = f"Its containers went down during the cutover, and none was healthy again within {within}"
        return _failed(LOST, f"{reason}; their log says why.")
    routes = situation.routes
    if (routes.held_by(identity) or identity in routes.taken_back) and _is_outrun(row, situation):
        return _failed(OUTRUN, "A later request for its environment came while its containers were started again.")
    return None


def is_refused(row: Deployment, situation: Situation) -> bool:
    """Tell whether the proxies did not confirm a cutover, though its containers are there.

    What they said before those went down, or while they were down, is no refusal.
    """
    if row.phase is not Phase.CUTOVER or row.recovering:
        return False
    change = situation.refused
    return (change is not None and change.sequence > row.recovered) or row.recovered in situation.refusals


def _is_outrun(row: Deployment, situation: Situation) -> bool:
    """Tell whether somebody wants something else for the environment: whoever waits for that waits for nothing more."""
    return any(
        request.environment == row.environment
        and request.sequence > row.requested_sequence
        and request.state is RequestState.WANTED
        and not request.restores
        for request in situation.routes.requests.values()
    )


def _failed(code: str, reason: str) -> Failed:
    return Failed(stage=Stage.ROUTE, code=code, reason=reason)
