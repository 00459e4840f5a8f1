"""Where two versions share an environment's requests: what there is to say of each of them."""

from collections.abc import Iterator
from dataclasses import dataclass

from windlass_contracts.ids import DeploymentId
from windlass_gateway.domain.environments import Environments
from windlass_gateway.domain.routes import Routes


@dataclass(frozen=True, slots=True)
class Share:
    """A percentage of an environment's requests goes to one version, the rest to `other`."""

    environment: str
    percent: int
    other: DeploymentId | None

    @property
    def sentence(self) -> str:
        rest = "" if self.other is None else f"; deployment {self.other.hex[:8]} gets the rest"
        return f"It gets {self.percent} % of the requests of {self.environment}{rest}."


def rolled_out(environments: Environments | None, routes: Routes | None, deployment: DeploymentId) -> Share | None:
    """Return where a version gets a part of the requests beside what has the environment; None where it gets none."""
    if environments is None or routes is None:
        return None
    for environment, weight in routes.weights.now.items():
        named, alias = environments.by_id(environment), routes.alias_of(environment)
        if named is not None and weight.deployment == deployment:
            return Share(named.name, weight.percent, None if alias is None else alias.current)
    return None


def shares_of(environments: Environments | None, routes: Routes | None, deployment: DeploymentId) -> Iterator[Share]:
    """Yield the environments whose requests a version shares with another one."""
    if environments is None or routes is None:
        return
    for environment, weight in routes.weights.now.items():
        named, alias = environments.by_id(environment), routes.alias_of(environment)
        current = None if alias is None else alias.current
        if named is None:
            continue
        if weight.deployment == deployment:
            yield Share(named.name, weight.percent, current)
        elif current == deployment:
            yield Share(named.name, 100 - weight.percent, weight.deployment)
