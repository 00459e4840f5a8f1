"""Rollbacks, promotions, weights: an environment, or a part of it, goes to what was live before, once it serves again.

And restorings: the monitor saw that what an environment answers with fails, and wants the one before to answer again.
"""

from collections.abc import Iterator

from windlass_contracts.events import AliasesChanged, CutoverStarted, RoutesFailed
from windlass_contracts.events.deployment import Stage
from windlass_contracts.events.routes import Alias
from windlass_contracts.ids import EventId
from windlass_contracts.lifecycle import Phase
from windlass_router.domain.addresses import environment_addresses, own_address
from windlass_router.domain.cutover import LONGEST_REASON
from windlass_router.domain.deployment import Deployment
from windlass_router.domain.requests import Request, RequestState
from windlass_router.domain.rollouts import ALL, asked_at, asked_share, overtaken, restored
from windlass_router.domain.situation import Situation
from windlass_router.domain.steps import AppendToDeployment, AppendToRoutes, Step, WaitUntil


def refuse_taken_back(situation: Situation) -> Iterator[Step]:
    """Say that a request failed before the old routes are confirmed: that would read as if it had succeeded."""
    for identity, request in situation.routes.requests.items():
        if request.state is RequestState.TAKEN_BACK:
            yield _failed(identity, Stage.ROUTE, "routes-not-confirmed", situation.first_refusal)
        if request.state is RequestState.STOPPED:
            yield _failed(identity, Stage.ROUTE, "stopped", "Somebody stopped it before it began.")


def answer_requests(situation: Situation) -> Iterator[Step]:
    """Answer the earliest request first."""
    for identity, request in sorted(situation.routes.requests.items(), key=lambda one: one[1].sequence):
        if request.state is RequestState.WANTED:
            yield _answered(identity, request, situation)


def _answered(identity: EventId, request: Request, situation: Situation) -> Step:
    if request.restores and (step := restored(identity, request, situation)) is not None:
        return step
    target = situation.deployments.get(request.to)
    if target is None or target.phase is not Phase.LIVE or target.project != situation.routes.project:
        return _failed(identity, Stage.ROUTE, "never-live", f"Deployment {request.to} was never live in this project.")
    if (refusal := _refusal(request, situation)) is not None:
        return _failed(identity, Stage.ROUTE, *refusal)
    if not target.ready:
        return _awaited(identity, request, target, situation)
    if target.claimed < request.sequence:
        # So that nobody pauses it meanwhile: who pauses decides behind this.
        return AppendToDeployment(request.to, CutoverStarted(containers=target.healthy_containers))
    return _decided(identity, request, situation)


def _refusal(request: Request, situation: Situation) -> tuple[str, str] | None:
    """Return why a request cannot be done whatever its target is like, None where nothing speaks against it."""
    if _outrun(request, situation):
        return "outrun", "A later request decided where the environment goes before this one could."
    if not situation.routes.moves_to(request.to, _wanted(request, situation)):
        return "nothing-to-do", "The environment answers with this deployment already."
    if _shares(request) and not situation.routes.of_environment(request.environment):
        return "nothing-to-share", "Nothing answers in the environment that the rest of the requests could go to."
    return None


def _decided(identity: EventId, request: Request, situation: Situation) -> Step:
    """Let what is asked for be so; what had a weight until then loses it first."""
    step = None if request.restores else overtaken(request.environment, request.to, situation)
    if step is not None:
        return step
    if _shares(request):
        return asked_share(identity, request)
    aliases = _wanted(request, situation)
    moves = situation.routes.moves_to(request.to, (*aliases, own_address(situation.place, request.to)))
    return AppendToRoutes(AliasesChanged(why=request.why, deployment=request.to, request=identity, moves=moves))


def _awaited(identity: EventId, request: Request, target: Deployment, situation: Situation) -> Step:
    until = request.asked_at + target.ready_within
    if situation.now < until:
        return WaitUntil(until, "the deployment that is wanted back is not healthy yet")
    reason = (
        f"Deployment {request.to} was not healthy again within {target.ready_within.total_seconds():g} s; "
        f"its log says why."
    )
    return _failed(identity, Stage.HEALTH, "not-healthy-again", reason)


def _wanted(request: Request, situation: Situation) -> tuple[Alias, ...]:
    """Return the addresses that shall go to what is wanted: of a restoring, those that answer with what fails."""
    aliases = environment_addresses(situation.place, request.environment)
    if not request.restores:
        return aliases
    pointers = situation.routes.pointers
    return tuple(
        alias
        for alias in aliases
        if alias.name in pointers and pointers[alias.name].current.deployment == request.before
    )


def _outrun(request: Request, situation: Situation) -> bool:
    """Tell whether something that was asked for later decided, or will decide, about the environment.

    A restoring is nobody's wish: it comes before none, and to nothing once the environment left what fails.
    """
    if request.restores and not _wanted(request, situation):
        return True
    held = (situation.asked(pointer) for pointer in situation.routes.of_environment(request.environment))
    wanted = (
        other.sequence
        for other in situation.routes.requests.values()
        if other.environment == request.environment and other.state is RequestState.WANTED and not other.restores
    )
    shared = asked_at(request.environment, situation)
    return any(sequence > request.sequence for sequence in (*held, *wanted, shared))


def _shares(request: Request) -> bool:
    return request.weight is not None and request.weight < ALL


def _failed(identity: EventId, stage: Stage, code: str, reason: str) -> Step:
    return AppendToRoutes(RoutesFailed(request=identity, stage=stage, code=code, reason=reason[:LONGEST_REASON]))
