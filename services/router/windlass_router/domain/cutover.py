"""Whether a healthy deployment takes its addresses: the latest request wins, whatever finishes first."""

from dataclasses import dataclass

from windlass_contracts.events.routes import AliasMove
from windlass_contracts.ids import DeploymentId
from windlass_contracts.lifecycle import Phase
from windlass_router.domain.aliases import (
    branch_alias,
    deployment_alias,
    environment_alias,
    environment_id_alias,
)
from windlass_router.domain.deployment import Deployment
from windlass_router.domain.place import Place
from windlass_router.domain.routes import Routes


@dataclass(frozen=True, slots=True)
class Wait:
    """It is not its turn: not enough of it is healthy, or it ended."""


@dataclass(frozen=True, slots=True)
class StepAside:
    """A later request has the environment already."""

    latest: DeploymentId


@dataclass(frozen=True, slots=True)
class TakeOver:
    """These containers serve from now on; these aliases move to them (none, where they did already)."""

    containers: tuple[str, ...]
    moves: tuple[AliasMove, ...]


Decision = Wait | StepAside | TakeOver


def current_of(deployment: Deployment, routes: Routes) -> DeploymentId | None:
    """Return the deployment that the environment answers with."""
    return next((one.current for one in routes.of_environment(deployment.environment)), None)


def decide_cutover(
    identity: DeploymentId, deployment: Deployment, place: Place, routes: Routes, current: Deployment | None
) -> Decision:
    """Decide about a deployment; `current` is the row of the one that its environment answers with, if any."""
    if deployment.phase not in {Phase.HEALTHY, Phase.CUTOVER} or place.slug is None:
        return Wait()
    latest = current_of(deployment, routes)
    if current is not None and latest is not None and current.requested_sequence > deployment.requested_sequence:
        return StepAside(latest)
    if not deployment.ready and deployment.phase is Phase.HEALTHY:
        return Wait()
    serving = tuple(sorted(name for name, container in deployment.containers.items() if container.serving))
    return TakeOver(serving, _moves(identity, deployment, place, routes))


def _moves(identity: DeploymentId, deployment: Deployment, place: Place, routes: Routes) -> tuple[AliasMove, ...]:
    slug, environment = place.slug or "", deployment.environment
    named = place.environments.get(environment)
    aliases = [environment_id_alias(slug, environment), deployment_alias(slug, identity)]
    if named is not None:
        aliases.append(environment_alias(slug, environment, named.name, production=named.production))
    if deployment.branch is not None:
        aliases.append(branch_alias(slug, deployment.branch, environment))
    domains = [one.alias for one in routes.of_environment(environment) if one.alias.kind == "domain"]
    return routes.moves_to(identity, (*aliases, *domains))
