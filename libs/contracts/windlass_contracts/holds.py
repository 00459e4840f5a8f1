"""What a rollback holds back: one rule for everybody who folds a project's routes.

No event says that a hold began. The change of aliases that a rollback caused does; a promotion, or a cutover or a
rollout that took the environment's own address, ends it. A change that could not be confirmed is undone, and what it
did to holds too.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict

from windlass_contracts.events import AliasesChanged
from windlass_contracts.ids import DeploymentId, EnvironmentId

HELD_BACK = "webhook"
"""The trigger of what nobody asked for by hand: only that is ever held back."""

_ROLLBACK, _COMPENSATION = "rollback", "compensation"
_DECIDING = frozenset({_ROLLBACK, "promotion", "cutover", "rollout"})
"""Why an environment moved by somebody's wish: what held it until then is over."""

_OWN_ADDRESS = "environment"


class Hold(BaseModel):
    """An environment that was rolled back to a deployment, by whom, and when it was released, if it was.

    What was pushed before the release stays held back, however long it takes to be built: a release takes the next
    push. So a hold is remembered until something takes the environment.
    """

    model_config = ConfigDict(frozen=True)

    to: DeploymentId | None
    at: datetime
    by: str | None = None
    released: int | None = None
    """The sequence of the release."""

    def covers(self, requested: int) -> bool:
        """Tell whether it holds back a push that was requested at that sequence."""
        return self.released is None or requested < self.released


class Holds(BaseModel):
    """The holds of a project's environments, and those before the last decision about an environment."""

    model_config = ConfigDict(frozen=True)

    now: Mapping[EnvironmentId, Hold] = {}
    before: Mapping[EnvironmentId, Hold] = {}

    def of(self, environment: EnvironmentId) -> Hold | None:
        """Return what holds the environment, None once it is released."""
        hold = self.now.get(environment)
        return hold if hold is not None and hold.released is None else None

    def holds_back(self, environment: EnvironmentId, trigger: str, requested: int) -> bool:
        """Tell whether a deployment does not take its environment's addresses."""
        hold = self.now.get(environment)
        return trigger == HELD_BACK and hold is not None and hold.covers(requested)

    def changed(self, event: AliasesChanged, at: datetime, by: str | None = None) -> Self:
        """Return the holds after a change of aliases; `by` asked for it, where that is known."""
        if event.why == _COMPENSATION:
            return self.model_copy(update={"now": self.before})
        if event.why not in _DECIDING:  # it neither holds nor ends a hold, and undoing it undoes nothing of them
            return self.model_copy(update={"before": self.now})
        moved = _moved(event)
        now = {environment: hold for environment, hold in self.now.items() if environment not in moved}
        if event.why == _ROLLBACK:
            now |= dict.fromkeys(moved, Hold(to=event.deployment, at=at, by=by))
        return self.model_copy(update={"now": now, "before": self.now})

    def released(self, environment: EnvironmentId, sequence: int) -> Self:
        """Return the holds after an environment was released, which no compensation takes back."""
        return self.model_copy(
            update={
                "now": _released(self.now, environment, sequence),
                "before": _released(self.before, environment, sequence),
            }
        )


def _moved(event: AliasesChanged) -> set[EnvironmentId]:
    """Return the environments whose own address moved."""
    own = (move.alias for move in event.moves if move.alias.kind == _OWN_ADDRESS)
    return {alias.environment for alias in own if alias.environment is not None}


def _released(
    holds: Mapping[EnvironmentId, Hold], environment: EnvironmentId, sequence: int
) -> Mapping[EnvironmentId, Hold]:
    hold = holds.get(environment)
    if hold is None or hold.released is not None:
        return holds
    return {**holds, environment: hold.model_copy(update={"released": sequence})}
