"""Taking addresses back from what failed: they point where they did before."""

from collections.abc import Iterator

from windlass_contracts.events import AliasesChanged
from windlass_contracts.ids import DeploymentId, EventId
from windlass_router.domain.deployment import Deployment
from windlass_router.domain.pointers import Pointer, moves_back
from windlass_router.domain.recovery import given_up, is_refused
from windlass_router.domain.requests import Request, RequestState
from windlass_router.domain.routes import COMPENSATION
from windlass_router.domain.situation import Situation
from windlass_router.domain.steps import AppendToRoutes, Step


def take_back(situation: Situation) -> Iterator[Step]:
    """Take the addresses back of deployments that failed, and of requests that were given up or not confirmed."""
    for deployment, row in situation.deployments.items():
        held = situation.routes.held_by(deployment)
        if held and _fails(deployment, row, situation):
            yield _moved_back(held, deployment)
    for identity, request in situation.routes.requests.items():
        held = situation.routes.moved_by(request)
        if held and _is_lost(request, situation):
            yield _moved_back(held, request.to, identity)


def _fails(deployment: DeploymentId, row: Deployment, situation: Situation) -> bool:
    return row.lost or is_refused(row, situation) or given_up(deployment, row, situation) is not None


def _is_lost(request: Request, situation: Situation) -> bool:
    not_confirmed = request.state is RequestState.MOVED and situation.refused is not None
    return not_confirmed or request.state is RequestState.GIVEN_UP


def _moved_back(held: tuple[Pointer, ...], deployment: DeploymentId, request: EventId | None = None) -> Step:
    moves = moves_back(held)
    return AppendToRoutes(AliasesChanged(why=COMPENSATION, deployment=deployment, request=request, moves=moves))
