"""Deciding about weights: which part of an environment's requests goes to a version that does not have it."""

from windlass_contracts.events import RolloutStopped, WeightRequested
from windlass_contracts.ids import DeploymentId
from windlass_gateway.domain.environments import Environment
from windlass_gateway.domain.refusals import (
    AnotherRolledOutError,
    InvalidInputError,
    NotRolledOutError,
    NotWeighableError,
)
from windlass_gateway.domain.releases import Releases
from windlass_gateway.domain.rolling_back import Candidate, cannot_answer
from windlass_gateway.domain.routes import Routes

LEAST, ALL = 1, 100


def decide_weight(
    environment: Environment, routes: Routes | None, target: Candidate, releases: Releases, percent: int
) -> WeightRequested:
    """Return the request to send a percentage of the environment's requests to `target`; all of them end the rollout.

    Raises:
        InvalidInputError: there is no such percentage.
        NotWeighableError: the deployment cannot get it: the message says why.
    """
    if not LEAST <= percent <= ALL:
        raise InvalidInputError(
            f"A weight is a percentage from {LEAST} to {ALL}, not {percent}.",
            field="weight",
            next_step="To send nothing any more, stop the rollout: `windlass rollout DEPLOYMENT --stop`.",
        )
    alias = None if routes is None else routes.alias_of(environment.id)
    if routes is None or alias is None or alias.current is None:
        raise NotWeighableError(
            f"Nothing answers in {environment.name} that the rest of the requests could go to.",
            field="to",
            next_step=f"Deploy to it first, or give it all: `windlass promote DEPLOYMENT --to {environment.name}`.",
        )
    if (obstacle := cannot_answer(alias.current, target, releases)) is not None:
        raise NotWeighableError(obstacle)
    weight = routes.weights.now.get(environment.id)
    if weight is not None and (weight.deployment, weight.percent, bool(weight.asked)) == (target.id, percent, True):
        raise NotWeighableError(
            f"Deployment {target.id.hex[:8]} gets {percent} % already.",
            field="weight",
            next_step="Give it another weight, or stop the rollout: `windlass rollout DEPLOYMENT --stop`.",
        )
    return WeightRequested(
        environment=environment.id, alias=alias.name, before=alias.current, to=target.id, weight=percent
    )


def decide_stop(environment: Environment, routes: Routes | None, meant: DeploymentId | None = None) -> RolloutStopped:
    """Return that all of the environment's requests go to what has it again; `meant` is whose weight is to end.

    Raises:
        NotRolledOutError: nothing has a weight there, and nobody asked for one.
        AnotherRolledOutError: something has, or is to have, but not what is meant.
    """
    weight = None if routes is None else routes.weights.now.get(environment.id)
    rolled_out: dict[DeploymentId, int | None] = {} if weight is None else {weight.deployment: weight.percent}
    for wish in () if routes is None else routes.requests.values():
        if wish.shares == environment.id:
            rolled_out.setdefault(wish.to, None)
    if not rolled_out:
        raise NotRolledOutError(environment.name)
    if meant is not None and meant not in rolled_out:
        raise AnotherRolledOutError(environment.name, meant, *next(iter(rolled_out.items())))
    return RolloutStopped(environment=environment.id)
