"""Gradual rollouts: a new version gets an environment's requests step by step, or as somebody says, until it has all.

The latest request wins here too: what has a weight was asked for later than what has the environment, and gives way to
what was asked for later than itself.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from windlass_contracts.events import AliasesChanged, WeightChanged
from windlass_contracts.ids import DeploymentId, EnvironmentId, EventId
from windlass_contracts.lifecycle import Phase
from windlass_contracts.weights import Weight
from windlass_router.domain.addresses import environment_addresses
from windlass_router.domain.deployment import Deployment
from windlass_router.domain.pointers import Pointer, moves_back
from windlass_router.domain.requests import ROLLOUT, Request, RequestState
from windlass_router.domain.routes import COMPENSATION
from windlass_router.domain.situation import Situation
from windlass_router.domain.steps import AppendToRoutes, Step

ALL = 100
_ALL_STOPPED = "All its containers stopped; their log says why."
_ASKED, _STOPPED, _OVERTAKEN, _LOST = "asked", "stopped", "overtaken", "lost"


def takes_steps(identity: DeploymentId, row: Deployment, situation: Situation) -> bool:
    """Tell whether a deployment takes its environment step by step: that of another, which answers, is not at once its.

    What a rollback holds back takes no step either.
    """
    return _has_steps_to_take(identity, row, situation) and _is_answered(row.environment, situation)


def _has_steps_to_take(identity: DeploymentId, row: Deployment, situation: Situation) -> bool:
    pointer = _own(situation, row.environment)
    if not row.steps or pointer is None or pointer.current.deployment == identity:
        return False
    return not situation.routes.holds.holds_back(row.environment, row.trigger, row.requested_sequence)


def _is_answered(environment: EnvironmentId, situation: Situation) -> bool:
    pointer = _own(situation, environment)
    holder = None if pointer is None else situation.deployments.get(pointer.current.deployment)
    return holder is not None and bool(holder.servers)


def take_back_weights(situation: Situation) -> Iterator[Step]:
    """Undo what the proxies did not confirm, or whose request was given up; that nothing is sent any more stays."""
    change = situation.refused
    if change is not None and change.deployment is not None and change.why != COMPENSATION:
        if change.weight and change.environment is not None:
            yield _undone(change.environment, change.deployment, situation, change.request)
        if change.why == ROLLOUT and change.environment is None and change.request is None:
            yield from _moved_back(change.deployment, situation)
    for identity, request in situation.routes.requests.items():
        if request.state is RequestState.GIVEN_UP and situation.routes.shared_by(request):
            yield _undone(request.environment, request.to, situation, identity)


def end_weights(situation: Situation) -> Iterator[Step]:
    """Let nothing be sent any more to what somebody stopped, or what does not run."""
    for environment, weight in situation.routes.weights.now.items():
        row = situation.deployments.get(weight.deployment)
        if weight.stop is not None:
            yield _ended(environment, weight.deployment, _STOPPED, request=weight.stop)
        elif row is None or not row.servers:
            yield _ended(environment, weight.deployment, _LOST, _ALL_STOPPED)


def continue_rollouts(situation: Situation) -> Iterator[Step]:
    """Give what had a weight for long enough its next."""
    for environment, weight in situation.routes.weights.now.items():
        row = situation.deployments[weight.deployment]
        due = due_at(weight, row)
        if due is not None and situation.now >= due and row.ready:
            yield _shared(environment, weight.deployment, _after(weight.percent, row), situation)


def begin_rollouts(situation: Situation) -> Iterator[Step]:
    """Give what the last cutover let in its first weight, before anything else is decided in the project.

    However many of its containers still answer: what waited here would be forgotten with the next decision.
    """
    entered = situation.routes.entered
    row = None if entered is None else situation.deployments.get(entered)
    if entered is None or row is None or row.phase is not Phase.LIVE:
        return
    if _has_steps_to_take(entered, row, situation) and not _is_outrun(row, situation):
        yield _begun(entered, row, situation)


def _begun(identity: DeploymentId, row: Deployment, situation: Situation) -> Step:
    """Return the first step; all of the environment where what has it stopped since the cutover."""
    if not _is_answered(row.environment, situation):
        return _shared(row.environment, identity, ALL, situation)
    if not row.servers:
        return _ended(row.environment, identity, _LOST, _ALL_STOPPED)
    return _shared(row.environment, identity, row.steps[0].weight, situation)


def due_at(weight: Weight, row: Deployment) -> datetime | None:
    """Return when the next step of a rollout is due; None where none is, or its time does not run yet."""
    current = next((step for step in row.steps if step.weight == weight.percent), None)
    if weight.asked or weight.confirmed_at is None or current is None:
        return None
    return weight.confirmed_at + timedelta(seconds=current.for_s)


def overtaken(environment: EnvironmentId, by: DeploymentId, situation: Situation) -> Step | None:
    """Return that another deployment loses the weight that it has in the environment, None where none has any."""
    weight = situation.routes.weights.now.get(environment)
    if weight is None or weight.deployment == by:
        return None
    return _ended(environment, weight.deployment, _OVERTAKEN, f"Deployment {by} was asked for later.")


def restored(identity: EventId, request: Request, situation: Situation) -> Step | None:
    """Return that what fails loses its weight; None where it has none."""
    weight = situation.routes.weights.now.get(request.environment)
    if weight is None or weight.deployment != request.before:
        return None
    return _ended(request.environment, weight.deployment, request.why, request=identity)


def asked_share(identity: EventId, request: Request) -> Step:
    """Return the weight that somebody asked for."""
    return AppendToRoutes(
        WeightChanged(
            environment=request.environment,
            deployment=request.to,
            weight=request.weight or 0,
            why=_ASKED,
            request=identity,
        )
    )


def asked_at(environment: EnvironmentId, situation: Situation) -> int:
    """Return the sequence of the request by which a deployment has a weight in the environment; 0 where none has."""
    weight = situation.routes.weights.now.get(environment)
    if weight is None:
        return 0
    row = situation.deployments.get(weight.deployment)
    return max(weight.asked, 0 if row is None else row.requested_sequence)


def _own(situation: Situation, environment: EnvironmentId) -> Pointer | None:
    """Return where the environment's own address points."""
    own = environment_addresses(situation.place, environment)[0]
    return situation.routes.pointers.get(own.name)


def _is_outrun(row: Deployment, situation: Situation) -> bool:
    held = (situation.asked(pointer) for pointer in situation.routes.of_environment(row.environment))
    return max((asked_at(row.environment, situation), *held)) > row.requested_sequence


def _after(percent: int, row: Deployment) -> int:
    return next((step.weight for step in row.steps if step.weight > percent), ALL)


def _shared(environment: EnvironmentId, deployment: DeploymentId, percent: int, situation: Situation) -> Step:
    """Return a rollout's next step: a weight, or the environment with all its addresses."""
    if percent < ALL:
        weight = WeightChanged(environment=environment, deployment=deployment, weight=percent, why=ROLLOUT)
        return AppendToRoutes(weight)
    moves = situation.routes.moves_to(deployment, environment_addresses(situation.place, environment))
    return AppendToRoutes(AliasesChanged(why=ROLLOUT, deployment=deployment, moves=moves))


def _ended(
    environment: EnvironmentId,
    deployment: DeploymentId,
    why: str,
    reason: str | None = None,
    request: EventId | None = None,
) -> Step:
    return AppendToRoutes(
        WeightChanged(environment=environment, deployment=deployment, weight=0, why=why, request=request, reason=reason)
    )


def _undone(
    environment: EnvironmentId, deployment: DeploymentId, situation: Situation, request: EventId | None
) -> Step:
    before = situation.routes.weights.before.get(environment)
    percent = before.percent if before is not None and before.deployment == deployment else 0
    return AppendToRoutes(
        WeightChanged(environment=environment, deployment=deployment, weight=percent, why=COMPENSATION, request=request)
    )


def _moved_back(deployment: DeploymentId, situation: Situation) -> Iterator[Step]:
    environment = situation.deployments[deployment].environment  # steps are taken there alone
    held = [one for one in situation.routes.of_environment(environment) if one.current.deployment == deployment]
    if held:
        yield AppendToRoutes(AliasesChanged(why=COMPENSATION, deployment=deployment, moves=moves_back(held)))
