"""What gateway, builder and monitor say about a project named `shop`, as far as the router reads it."""

from collections.abc import Sequence
from uuid import UUID

from windlass_contracts.config import DeploymentConfig, Limits
from windlass_contracts.event import Event
from windlass_contracts.events import (
    BuildStarted,
    BuildSucceeded,
    ContainerPaused,
    ContainerResumed,
    ContainerStarted,
    ContainerStopped,
    DeploymentRequested,
    EnvironmentCreated,
    EnvironmentReleased,
    Healthy,
    ProjectCreated,
    PromotionRequested,
    RestoreRequested,
    RollbackRequested,
    RolloutStopped,
    Unhealthy,
    WeightRequested,
)
from windlass_contracts.events.deployment import GitSource, Recipe
from windlass_contracts.ids import DeploymentId, EnvironmentId, ProjectId, TeamId

TEAM = TeamId(UUID(int=1))
PROJECT = ProjectId(UUID(int=2))
PRODUCTION = EnvironmentId(UUID(int=3 << 96))
PREVIEW = EnvironmentId(UUID(int=4 << 96))


def deployment_number(number: int) -> DeploymentId:
    return DeploymentId(UUID(int=number << 96 | 5))


def address_of(deployment: UUID, replica: int = 0) -> str:
    return f"10.0.{(deployment.int >> 96) % 256}.{replica + 2}"


def url_of(deployment: UUID, replica: int = 0) -> str:
    return f"http://{address_of(deployment, replica)}:8000"


def container_of(deployment: UUID, replica: int = 0) -> str:
    return f"run-{deployment.hex[:8]}-{replica}"


def founding() -> Sequence[Event]:
    """Return a project with a production and a preview environment."""
    return [
        ProjectCreated(slug="shop", name="Shop", config=DeploymentConfig()),
        EnvironmentCreated(environment=PRODUCTION, name="production", production=True),
        EnvironmentCreated(environment=PREVIEW, name="preview", production=False),
    ]


def requested(
    environment: EnvironmentId = PRODUCTION,
    ref: str | None = "main",
    config: DeploymentConfig | None = None,
    trigger: str = "api",
) -> Event:
    source = GitSource(repository="https://git.example/shop", ref=ref)
    return DeploymentRequested(
        environment=environment, source=source, trigger=trigger, config=config or DeploymentConfig()
    )


def built() -> Sequence[Event]:
    recipe = Recipe(runner="python", start_command="./run")
    digest = f"sha256:{'0' * 64}"
    succeeded = BuildSucceeded(
        node="one", release="shop:1", digest=digest, recipe=recipe, cache_hit=False, duration_ms=1
    )
    return [BuildStarted(node="one", attempt=1), succeeded]


def started(deployment: UUID, replica: int = 0, at: tuple[str, int] | None = None) -> Event:
    address, port = at or (address_of(deployment, replica), 8000)
    return ContainerStarted(
        node="one",
        container=container_of(deployment, replica),
        replica=replica,
        address=address,
        port=port,
        limits=Limits(),
        runtime="docker",
        duration_ms=1,
    )


def healthy(deployment: UUID, replica: int = 0) -> Event:
    return Healthy(container=container_of(deployment, replica), probe="http", status=200, tries=1, duration_ms=1)


def unhealthy(deployment: UUID, replica: int = 0) -> Event:
    return Unhealthy(container=container_of(deployment, replica), probe="http", code="bad-status", failures=3)


def paused(deployment: UUID, replica: int = 0) -> Event:
    return ContainerPaused(node="one", container=container_of(deployment, replica))


def resumed(deployment: UUID, replica: int = 0) -> Event:
    return ContainerResumed(node="one", container=container_of(deployment, replica))


def stopped(deployment: UUID, replica: int = 0) -> Event:
    return ContainerStopped(node="one", container=container_of(deployment, replica), why="exited", exit_code=1)


def went_down(deployment: UUID, replica: int = 0) -> Event:
    """Say of a container that it ended with the machine."""
    return ContainerStopped(node="one", container=container_of(deployment, replica), why="exited", exit_code=255)


def rollback(to: DeploymentId, environment: EnvironmentId = PRODUCTION) -> Event:
    return RollbackRequested(environment=environment, alias="shop", to=to)


def restoring(failed: DeploymentId, to: DeploymentId, environment: EnvironmentId = PRODUCTION) -> Event:
    return RestoreRequested(environment=environment, before=failed, to=to, code="errors", reason="It fails.")


def released(environment: EnvironmentId = PRODUCTION) -> Event:
    return EnvironmentReleased(environment=environment)


def weight(to: DeploymentId, percent: int, environment: EnvironmentId = PRODUCTION) -> Event:
    return WeightRequested(environment=environment, alias="shop", to=to, weight=percent)


def rollout_stopped(environment: EnvironmentId = PRODUCTION) -> Event:
    return RolloutStopped(environment=environment)


def restore(before: DeploymentId, to: DeploymentId, environment: EnvironmentId = PRODUCTION) -> Event:
    return RestoreRequested(environment=environment, before=before, to=to, code="errors", reason="It answers with 500.")


def promotion(to: DeploymentId, environment: EnvironmentId = PRODUCTION) -> Event:
    return PromotionRequested(environment=environment, alias="shop", to=to)
