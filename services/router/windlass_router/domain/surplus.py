"""Containers that get no requests any more because they are surplus: the builder stops them once that is confirmed."""

from collections.abc import Iterator
from datetime import timedelta

from windlass_router.domain.situation import Situation
from windlass_router.domain.steps import ConfirmRoutes, Step, WaitUntil

_ASK_AGAIN = timedelta(seconds=1)


def leave_out_surplus(situation: Situation) -> Iterator[Step]:
    """Let the proxies confirm that they send nothing to surplus containers, once no decision is to be confirmed."""
    if situation.routes.unconfirmed is not None:
        return
    awake = situation.routes.awake
    since = max((row.spare_since for one, row in situation.deployments.items() if one in awake), default=0)
    if since <= situation.routes.applied:
        return
    if since in situation.refusals:
        yield WaitUntil(situation.now + _ASK_AGAIN, situation.first_refusal)
    else:
        yield ConfirmRoutes(since, situation.now, situation.now)
