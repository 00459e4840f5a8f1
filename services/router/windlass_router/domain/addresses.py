"""Which addresses are a deployment's to take."""

from windlass_contracts.events.routes import Alias
from windlass_contracts.ids import DeploymentId, EnvironmentId
from windlass_router.domain.aliases import (
    branch_alias,
    deployment_alias,
    domain_alias,
    environment_alias,
    environment_id_alias,
)
from windlass_router.domain.deployment import Deployment
from windlass_router.domain.place import Place


def environment_addresses(place: Place, environment: EnvironmentId) -> tuple[Alias, ...]:
    """Return the addresses that go wherever the environment goes, its own first."""
    slug, named = place.slug or "", place.environments.get(environment)
    own = () if named is None else (environment_alias(slug, environment, named.name, production=named.production),)
    domains = (domain_alias(host, environment) for host, goes_to in place.domains.items() if goes_to == environment)
    return (*own, environment_id_alias(slug, environment), *domains)


def shared_addresses(place: Place, deployment: Deployment) -> tuple[Alias, ...]:
    """Return the addresses for which deployments follow one another: those of its environment and of its branch."""
    return (*environment_addresses(place, deployment.environment), *branch_addresses(place, deployment))


def branch_addresses(place: Place, deployment: Deployment) -> tuple[Alias, ...]:
    """Return its branch's address, if it has a branch."""
    if deployment.branch is None:
        return ()
    return (branch_alias(place.slug or "", deployment.branch, deployment.environment),)


def own_address(place: Place, deployment: DeploymentId) -> Alias:
    """Return the address that is the deployment's alone."""
    return deployment_alias(place.slug or "", deployment)
