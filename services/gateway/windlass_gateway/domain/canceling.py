"""Deciding a cancel: possible until the cutover begins."""

from windlass_contracts.events import DeploymentCanceled
from windlass_contracts.lifecycle import transition
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.refusals import TooLateToCancelError


def decide_cancel(row: Deployment) -> DeploymentCanceled:
    """Return the end of a deployment.

    Raises:
        TooLateToCancelError: it ended, or its cutover began.
    """
    if not row.phase.cancelable:
        raise TooLateToCancelError(row.phase)
    transition(row.phase, DeploymentCanceled)
    return DeploymentCanceled()
