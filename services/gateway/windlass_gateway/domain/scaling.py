"""Deciding how many containers a live version has, and that it gets fresh ones."""

from windlass_contracts.events import DeploymentScaled, RestartRequested
from windlass_contracts.ids import DeploymentId
from windlass_contracts.lifecycle import Phase
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.environments import Environment
from windlass_gateway.domain.refusals import InvalidInputError, NotAnsweringError
from windlass_gateway.domain.routes import DEPLOYMENT_ALIAS, Routes

MOST = 100
"""So many containers a deployment may have."""


def check_count(replicas: int) -> None:
    """Refuse what is no number of containers.

    Raises:
        InvalidInputError: there are too few or too many.
    """
    if not 1 <= replicas <= MOST:
        raise InvalidInputError(
            f"A version runs in 1 to {MOST} containers, not in {replicas}.",
            field="replicas",
            next_step=f"Give a whole number from 1 to {MOST}.",
        )


def what_answers(environment: Environment, routes: Routes | None) -> DeploymentId:
    """Return the deployment that answers at an environment.

    Raises:
        NotAnsweringError: nothing does.
    """
    alias = None if routes is None else routes.alias_of(environment.id)
    if alias is None or alias.current is None:
        raise NotAnsweringError(f"Nothing answers in {environment.name} yet.", field="environment")
    return alias.current


def decide_scale(identity: DeploymentId, row: Deployment, replicas: int) -> DeploymentScaled | None:
    """Return the event that scales a version that answers; None where it is wanted in so many containers already.

    Raises:
        InvalidInputError: that is no number of containers.
        NotAnsweringError: it is not live yet.
    """
    check_count(replicas)
    _check_live(identity, row)
    return None if replicas == row.replicas else DeploymentScaled(replicas=replicas)


def decide_restart(identity: DeploymentId, row: Deployment, routes: Routes | None) -> RestartRequested:
    """Return the request for fresh containers.

    Raises:
        NotAnsweringError: it is not live, or another version took its addresses: its containers are paused or gone.
    """
    _check_live(identity, row)
    aliases = () if routes is None else routes.pointing_at(identity)
    if all(alias.kind == DEPLOYMENT_ALIAS for alias in aliases):
        reason = f"Deployment {identity.hex[:8]} was replaced: its containers are paused or stopped."
        raise NotAnsweringError(reason, field="deployment")
    return RestartRequested()


def _check_live(identity: DeploymentId, row: Deployment) -> None:
    if row.phase is Phase.CUTOVER:
        raise NotAnsweringError(f"The cutover to deployment {identity.hex[:8]} is under way.", field="environment")
    if row.phase is not Phase.LIVE:
        raise NotAnsweringError(f"Deployment {identity.hex[:8]} is not live: it is {row.phase}.", field="deployment")
