"""What to do next in a project, decided from its rows alone: so a crash between two steps costs nothing."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain

from windlass_router.domain.compensation import take_back
from windlass_router.domain.cutover import begin_cutovers, finish_cutovers
from windlass_router.domain.giving_up import give_up_branches, settle_domains
from windlass_router.domain.recovery import await_recovery
from windlass_router.domain.returns import answer_requests, refuse_taken_back
from windlass_router.domain.rollouts import begin_rollouts, continue_rollouts, end_weights, take_back_weights
from windlass_router.domain.routes import COMPENSATION
from windlass_router.domain.situation import Situation
from windlass_router.domain.steps import ConfirmRoutes, Rest, Step, WaitUntil
from windlass_router.domain.surplus import leave_out_surplus

_COMPENSATION_WITHIN = timedelta(seconds=5)
_UNKNOWN_WITHIN = timedelta(seconds=30)
_ASK_AGAIN = timedelta(seconds=1)


def next_step(situation: Situation) -> Step:
    """Return the first thing that is due, or until when to wait for others."""
    waits = []
    for step in _in_order(situation):
        if not isinstance(step, WaitUntil) or step.alone:
            return step
        waits.append(step)
    return min(waits, key=lambda wait: wait.at) if waits else Rest()


def _in_order(situation: Situation) -> Iterator[Step]:
    if situation.place.slug is None:
        return iter(())
    return chain(
        take_back(situation),
        take_back_weights(situation),
        refuse_taken_back(situation),
        await_recovery(situation),
        _confirm(situation),
        finish_cutovers(situation),
        begin_rollouts(situation),
        end_weights(situation),
        continue_rollouts(situation),
        settle_domains(situation),
        give_up_branches(situation),
        answer_requests(situation),
        begin_cutovers(situation),
        leave_out_surplus(situation),
    )


def _confirm(situation: Situation) -> Iterator[Step]:
    change = situation.routes.unconfirmed
    if change is None:
        return
    if situation.refused is not None:
        yield WaitUntil(situation.now + _ASK_AGAIN, situation.first_refusal)
        return
    target = None if change.deployment is None else situation.deployments.get(change.deployment)
    within = _UNKNOWN_WITHIN if target is None else target.route_within
    if change.why == COMPENSATION:
        within = _COMPENSATION_WITHIN
    yield ConfirmRoutes(change.sequence, change.at, change.at + within)
