"""Which part of an environment's requests goes to a version that does not have it: one rule for everybody who folds it.

The rest goes to what has the environment's addresses. A weight ends with `WeightChanged` to 0, or when its deployment
gets the environment's own address. A decision that could not be confirmed is undone, and what it did to weights too.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict

from windlass_contracts.events import AliasesChanged, WeightChanged
from windlass_contracts.ids import DeploymentId, EnvironmentId, EventId

_COMPENSATION = "compensation"
_OWN_ADDRESS = "environment"


class Weight(BaseModel):
    """The percentage of an environment's requests that goes to a deployment, since which decision, and for how long."""

    model_config = ConfigDict(frozen=True)

    deployment: DeploymentId
    percent: int
    sequence: int
    """The decision's."""
    asked: int = 0
    """The sequence of the request for it; 0 where it follows the steps of its deployment."""
    confirmed_at: datetime | None = None
    """When every proxy confirmed it; its steps count from there."""
    stop: EventId | None = None
    """The event by which somebody stopped it, as long as that is not decided."""


_Weights = Mapping[EnvironmentId, Weight]


class Weights(BaseModel):
    """The weights in a project's environments, and those before the last decision about its routes."""

    model_config = ConfigDict(frozen=True)

    now: _Weights = {}
    before: _Weights = {}

    @property
    def deployments(self) -> frozenset[DeploymentId]:
        """The deployments that get a part of an environment's requests."""
        return frozenset(weight.deployment for weight in self.now.values())

    def changed(self, event: WeightChanged, sequence: int, asked: int = 0) -> Self:
        """Return the weights after a decision; `asked` is the sequence of the request for it, if there was one."""
        if event.why == _COMPENSATION:
            return self._back(sequence)
        others = {one: weight for one, weight in self.now.items() if one != event.environment}
        if event.weight:
            weight = Weight(deployment=event.deployment, percent=event.weight, sequence=sequence, asked=asked)
            others[event.environment] = weight
        return self.model_copy(update={"now": others, "before": self.now})

    def moved(self, event: AliasesChanged, sequence: int) -> Self:
        """Return the weights after a change of aliases: what got an environment needs no weight there."""
        if event.why == _COMPENSATION:
            return self._back(sequence)
        got = {(move.alias.environment, move.after) for move in event.moves if move.alias.kind == _OWN_ADDRESS}
        now = {one: weight for one, weight in self.now.items() if (one, weight.deployment) not in got}
        return self.model_copy(update={"now": now, "before": self.now})

    def applied(self, generation: int, at: datetime) -> Self:
        """Return the weights after every proxy confirmed what was decided up to a sequence."""
        if all(weight.confirmed_at is not None for weight in self.now.values()):
            return self
        now = {one: _confirmed(weight, generation, at) for one, weight in self.now.items()}
        return self.model_copy(update={"now": now})

    def stopped(self, environment: EnvironmentId, by: EventId) -> Self:
        """Return the weights after somebody wanted an environment's to end, which no compensation takes back."""
        return self.model_copy(
            update={"now": _stopped(self.now, environment, by), "before": _stopped(self.before, environment, by)}
        )

    def _back(self, sequence: int) -> Self:
        anew = {"sequence": sequence, "confirmed_at": None}
        now = {
            one: weight if self.now.get(one) == weight else weight.model_copy(update=anew)
            for one, weight in self.before.items()
        }
        return self.model_copy(update={"now": now, "before": now})


def _confirmed(weight: Weight, generation: int, at: datetime) -> Weight:
    waits = weight.confirmed_at is None and weight.sequence <= generation
    return weight.model_copy(update={"confirmed_at": at}) if waits else weight


def _stopped(weights: _Weights, environment: EnvironmentId, by: EventId) -> _Weights:
    weight = weights.get(environment)
    return weights if weight is None else {**weights, environment: weight.model_copy(update={"stop": by})}
