"""What a rollback holds back: releasing an environment, and what a deployment that was held back has to know."""

from dataclasses import dataclass

from windlass_contracts.events import EnvironmentReleased
from windlass_contracts.holds import Hold
from windlass_contracts.ids import DeploymentId
from windlass_contracts.lifecycle import Phase
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.environments import Environment
from windlass_gateway.domain.refusals import NothingHeldError
from windlass_gateway.domain.routes import Routes


def decide_release(environment: Environment, routes: Routes | None) -> EnvironmentReleased:
    """Return that the environment takes what is pushed again.

    Raises:
        NothingHeldError: no rollback holds it.
    """
    if routes is None or routes.hold_of(environment.id) is None:
        raise NothingHeldError(environment.name)
    return EnvironmentReleased(environment=environment.id)


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A push that does not take its environment. `answers`: it is live, and its branch's address is still its own."""

    environment: str
    hold: Hold
    live: bool
    answers: bool

    @property
    def why(self) -> str:
        """Say what holds the environment, or held it."""
        to = "an earlier version" if self.hold.to is None else f"deployment {self.hold.to.hex[:8]}"
        held = "is held since" if self.hold.released is None else "was held by"
        return f"{self.environment} {held} the rollback to {to} at {self.hold.at:%Y-%m-%d %H:%M:%S} UTC"


def held_back(
    environment: Environment, routes: Routes | None, deployment: DeploymentId, row: Deployment
) -> HeldBack | None:
    """Return what keeps a deployment from its environment; None where nothing does, or it took it before."""
    hold = None if routes is None else routes.holds.now.get(environment.id)
    if routes is None or hold is None or (row.ended and not row.was_live):
        return None
    if not routes.holds.holds_back(environment.id, row.trigger, row.requested_sequence):
        return None
    alias = routes.alias_of(environment.id)
    live_at = row.moments.get(Phase.LIVE)
    took = alias is not None and deployment in (alias.current, *alias.before)
    if took or (live_at is not None and live_at < hold.at):
        return None
    answers = any(one.environment == environment.id for one in routes.pointing_at(deployment))
    return HeldBack(environment.name, hold, row.was_live, answers)


def is_live_beside(
    environment: Environment | None, routes: Routes | None, deployment: DeploymentId, row: Deployment
) -> bool:
    """Tell whether a push is live at its own and its branch's address, because its environment is held."""
    held = None if environment is None else held_back(environment, routes, deployment, row)
    return held is not None and held.live and held.answers
