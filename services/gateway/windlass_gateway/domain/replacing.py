"""A version that was live and does not have its environment: what has it instead, and how one goes back."""

from dataclasses import dataclass

from windlass_contracts.events.deployment import GitSource
from windlass_contracts.ids import DeploymentId
from windlass_gateway.domain.container import ContainerState
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.environments import Environment, Environments
from windlass_gateway.domain.releases import Releases
from windlass_gateway.domain.rolling_back import Candidate
from windlass_gateway.domain.routes import ENVIRONMENT_ALIAS, Routes


@dataclass(frozen=True, slots=True)
class Replaced:
    """`by` answers in the environment; `had` says whether the version in question ever did, as far as that is known."""

    environment: str
    by: DeploymentId
    had: bool
    next_step: str

    @property
    def sentence(self) -> str:
        """Say what answers instead."""
        if self.had:
            return f"It was replaced: deployment {self.by.hex[:8]} answers in {self.environment} now."
        return f"It became live, and does not have {self.environment}: deployment {self.by.hex[:8]} answers there."


def replaced(
    slug: str, environments: Environments, routes: Routes | None, target: Candidate, releases: Releases
) -> Replaced | None:
    """Return what has a version's environment; None where it does, shares it, or answers in another environment."""
    environment = environments.by_id(target.row.environment)
    if environment is None or routes is None or not target.row.was_live or target.id in routes.weights.deployments:
        return None
    alias = routes.alias_of(environment.id)
    answers = any(one.kind == ENVIRONMENT_ALIAS for one in routes.pointing_at(target.id))
    if alias is None or alias.current is None or answers:
        return None
    had = target.id in alias.before
    next_step = _way_back(slug, environment, target, releases, had=had)
    return Replaced(environment.name, alias.current, had, next_step)


def _way_back(slug: str, environment: Environment, target: Candidate, releases: Releases, *, had: bool) -> str:
    row, short = target.row, target.id.hex[:8]
    if row.release is None or releases.gone_since(row.release, row.built_sequence):
        again = f"`windlass redeploy {short}` builds its commit" if isinstance(row.source, GitSource) else "deploy it"
        return f"To have it again, {again} anew: its release was retired, so that no rollback can start it."
    if not had:
        to = "" if environment.production else f" --to {environment.name}"
        part, everything = f"`windlass rollout {short} --weight 10{to}`", f"`windlass promote {short}{to}`"
        return f"To give it a part of the requests: {part}; all of them: {everything}. {_how_warm(row)}"
    where = "" if environment.production else f" --environment {environment.name}"
    return f"To go back to it: `windlass rollback {slug} --to {short}{where}`. {_how_warm(row)}"


def _how_warm(row: Deployment) -> str:
    states = {container.state for container in row.containers}
    if ContainerState.PAUSED in states:
        return "It answers at once then: its containers are kept warm."
    if states - {ContainerState.STOPPED}:
        return "It answers at once then: its containers run on."
    return "Its containers are gone: fresh ones are started first, of the same release."
