"""`/api/v1/projects`: list, configure, deploy, roll back, release."""

from typing import Annotated

from fastapi import APIRouter, Path

from windlass_contracts.values import EnvironmentName
from windlass_gateway.application.configuring import Configuring
from windlass_gateway.application.projections import PROJECTS
from windlass_gateway.application.redeploying import ProjectDeploy, Redeploying
from windlass_gateway.application.releasing import Releasing
from windlass_gateway.application.rolling_back import RollbackCommand, RollingBack
from windlass_gateway.application.scaling import ScaleCommand, Scaling
from windlass_gateway.application.weighing import StopCommand, Weighing
from windlass_gateway.entrypoints.accepted import (
    DeploymentAccepted,
    Done,
    ReplicasAcceptedView,
    StopAcceptedView,
    SwitchAcceptedView,
)
from windlass_gateway.entrypoints.bodies import (
    EnvironmentBody,
    ProjectBody,
    ProjectDeployBody,
    RestartBody,
    RollbackBody,
    ScaleBody,
    StopBody,
)
from windlass_gateway.entrypoints.context import ACaller, AContext, AReader
from windlass_gateway.entrypoints.deployments import TRIGGER, AnIdempotencyKey, ARestartKey, accepted
from windlass_gateway.entrypoints.shown import Shown
from windlass_gateway.entrypoints.views import EnvironmentView, ProjectView

router = APIRouter(prefix="/projects", tags=["projects"])

ProjectSlug = Annotated[str, Path(max_length=100, description="the project's name in its address")]
AnEnvironment = Annotated[EnvironmentName, Path(description="the environment's name")]


@router.get("")
async def list_projects(finder: AReader, shared: AContext) -> list[ProjectView]:
    """List the team's projects, the latest changed first."""
    shown = Shown(finder, shared.places, shared.gateway.uptimes)
    return [await shown.project(found) for found in await finder.rows.find(PROJECTS, {"team": finder.team})]


@router.get("/{slug}")
async def get_project(slug: ProjectSlug, finder: AReader, shared: AContext) -> ProjectView:
    """Return a project: its configuration, its environments, and what answers in each."""
    return await Shown(finder, shared.places, shared.gateway.uptimes).project(await finder.project(slug))


@router.patch("/{slug}")
async def configure_project(slug: ProjectSlug, body: ProjectBody, asking: ACaller, shared: AContext) -> Done:
    """Change how a project is built and run, from the next deployment on."""
    return Done(sequence=await Configuring(shared.gateway).project(asking, slug, body.change()))


@router.post("/{slug}/deployments", status_code=202)
async def deploy_project(
    slug: ProjectSlug,
    body: ProjectDeployBody,
    asking: ACaller,
    shared: AContext,
    idempotency_key: AnIdempotencyKey = None,
) -> DeploymentAccepted:
    """Deploy a commit of the project's own repository; answered once the request is durable."""
    key = idempotency_key or str(shared.gateway.fresh_id())
    request = ProjectDeploy(key, TRIGGER, slug, body.ref, body.environment)
    return accepted(shared, await Redeploying(shared.gateway).deploy_project(asking, request))


@router.get("/{slug}/environments/{name}")
async def get_environment(slug: ProjectSlug, name: AnEnvironment, finder: AReader, shared: AContext) -> EnvironmentView:
    """Return an environment: which pushes go there, and what answers there."""
    project = await finder.project(slug)
    shown = Shown(finder, shared.places, shared.gateway.uptimes)
    return await shown.environment(project, await finder.environment(project, name))


@router.put("/{slug}/environments/{name}")
async def set_branches(
    slug: ProjectSlug, name: AnEnvironment, body: EnvironmentBody, asking: ACaller, shared: AContext
) -> Done:
    """Say which pushes go to an environment; it comes into being, if it does not exist yet."""
    return Done(sequence=await Configuring(shared.gateway).branches(asking, slug, name, body.branches))


@router.post("/{slug}/environments/{name}/release", status_code=202)
async def release(slug: ProjectSlug, name: AnEnvironment, asking: ACaller, shared: AContext) -> Done:
    """Let an environment that was rolled back take what is pushed again; nothing moves before the next push."""
    return Done(sequence=await Releasing(shared.gateway).release(asking, slug, name))


@router.post("/{slug}/scale", status_code=202)
async def scale(slug: ProjectSlug, body: ScaleBody, asking: ACaller, shared: AContext) -> ReplicasAcceptedView:
    """Let what answers at an environment run in so many containers, and every later deployment of the project."""
    command = ScaleCommand(slug, body.replicas, body.environment)
    return ReplicasAcceptedView.model_validate(await Scaling(shared.gateway).scale(asking, command))


@router.post("/{slug}/restart", status_code=202)
async def restart(
    slug: ProjectSlug,
    asking: ACaller,
    shared: AContext,
    body: RestartBody | None = None,
    idempotency_key: ARestartKey = None,
) -> ReplicasAcceptedView:
    """Replace the containers of what answers at an environment by fresh ones, one by one."""
    environment = (body or RestartBody()).environment
    request = await Scaling(shared.gateway).restart(asking, slug, environment, idempotency_key)
    return ReplicasAcceptedView.model_validate(request)


@router.post("/{slug}/environments/{name}/rollout/stop", status_code=202)
async def stop_rollout(
    slug: ProjectSlug, name: AnEnvironment, asking: ACaller, shared: AContext, body: StopBody | None = None
) -> StopAcceptedView:
    """Send all of an environment's requests to what has it again."""
    command = StopCommand(slug, name, (body or StopBody()).deployment)
    return StopAcceptedView.model_validate(await Weighing(shared.gateway).stop(asking, command))


@router.post("/{slug}/rollback", status_code=202)
async def roll_back(
    slug: ProjectSlug, asking: ACaller, shared: AContext, body: RollbackBody | None = None
) -> SwitchAcceptedView:
    """Let an environment answer with a version that was live there before."""
    wanted = body or RollbackBody()
    command = RollbackCommand(slug, wanted.environment, wanted.to)
    return SwitchAcceptedView.model_validate(await RollingBack(shared.gateway).roll_back(asking, command))
