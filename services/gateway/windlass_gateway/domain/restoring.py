"""What the monitor took back: what an environment's page and a failed version's page have to say of it."""

from dataclasses import dataclass

from windlass_contracts.ids import DeploymentId
from windlass_gateway.domain.environments import Environment, Environments
from windlass_gateway.domain.routes import Restoring, Routes

NEXT_STEP = "Its log says more: `windlass logs`. Push a fix, or deploy it again if something else was to blame."


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A version failed soon after it got an environment, and what became of that."""

    environment: str
    restoring: Restoring

    @property
    def done(self) -> bool:
        return self.restoring.done is not None

    @property
    def title(self) -> str:
        """Say in a few words how it stands."""
        if self.done:
            return f"Windlass took it back from {self.environment}"
        if self.restoring.refused is not None:
            return f"It fails in {self.environment}, and could not be taken back"
        return f"It fails in {self.environment}: Windlass takes it back"

    @property
    def sentence(self) -> str:
        """Say what failed, and what answers now."""
        to = self.restoring.to.hex[:8]
        if self.done:
            return f"{self.title}: {self.restoring.reason} Deployment {to} took its place."
        if self.restoring.refused is not None:
            return f"{self.title} for deployment {to}: {self.restoring.reason} {self.restoring.refused}"
        return f"{self.title}: {self.restoring.reason} Deployment {to} is to answer again."


def restored(environment: Environment, routes: Routes | None) -> TakenBack | None:
    """Return what was taken back in an environment last; None once anything else decided about it."""
    alias = None if routes is None else routes.alias_of(environment.id)
    if routes is None or alias is None:
        return None
    latest = next((one for one in routes.restorings if one.environment == environment.id), None)
    if latest is None or alias.current not in ({latest.to} if latest.done else {latest.failed, latest.to}):
        return None
    if latest.done and latest.failed in alias.before[1:]:  # another one answered since, and gave way to this one
        return None
    return TakenBack(environment.name, latest)


def taken_back(environments: Environments | None, routes: Routes | None, deployment: DeploymentId) -> TakenBack | None:
    """Return where a version was taken back last, whatever came after; None where it was not, or has it again."""
    latest = None if routes is None else next((one for one in routes.restorings if one.failed == deployment), None)
    if routes is None or environments is None or latest is None:
        return None
    environment, alias = environments.by_id(latest.environment), routes.alias_of(latest.environment)
    if environment is None or alias is None or (latest.done is not None) == (alias.current == deployment):
        return None
    return TakenBack(environment.name, latest)


def was_taken_back(environments: Environments | None, routes: Routes | None, deployment: DeploymentId) -> bool:
    """Tell whether a version failed soon after it got an environment, and does not have it any more."""
    found = taken_back(environments, routes, deployment)
    return found is not None and found.done
