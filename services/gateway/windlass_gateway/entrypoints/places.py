"""Labels become addresses that a browser opens."""

from dataclasses import dataclass

from windlass_contracts.ids import DeploymentId
from windlass_gateway.domain.addresses import deployment_address, environment_address
from windlass_gateway.domain.environments import Environment
from windlass_gateway.domain.routes import AliasState

_HTTP_PORT = 80
_WHOLE_HOST = "domain"


@dataclass(frozen=True, slots=True)
class Places:
    """Where this installation's apps answer: below `domain`, at `port`."""

    domain: str
    port: int

    @property
    def own_host(self) -> str:
        """The dashboard's own name."""
        return f"windlass.{self.domain}"

    def url(self, host: str) -> str:
        return f"http://{host}" if self.port == _HTTP_PORT else f"http://{host}:{self.port}"

    def of_alias(self, alias: AliasState) -> str:
        return self.url(alias.name if alias.kind == _WHOLE_HOST else f"{alias.name}.{self.domain}")

    def expected(self, slug: str, environment: Environment, deployment: DeploymentId) -> list[str]:
        """Return where a deployment will answer once it is live, the environment's own address first."""
        labels = (
            environment_address(slug, environment.name, production=environment.production),
            deployment_address(slug, deployment),
        )
        return [self.url(f"{label}.{self.domain}") for label in labels if label is not None]
