"""What pages let people do: deploy, deploy again, cancel, go back, release, promote: forms, with or without scripts."""

from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Response

from windlass_contracts.ids import DeploymentId
from windlass_gateway.application.canceling import Canceling
from windlass_gateway.application.promoting import PromoteCommand, Promoting
from windlass_gateway.application.redeploying import ProjectDeploy, Redeploying
from windlass_gateway.application.releasing import Releasing
from windlass_gateway.application.rolling_back import RollbackCommand, RollingBack
from windlass_gateway.application.weighing import StopCommand, WeighCommand, Weighing
from windlass_gateway.domain.environments import PRODUCTION
from windlass_gateway.domain.refusals import Refusal
from windlass_gateway.entrypoints.pages.history import branches
from windlass_gateway.entrypoints.pages.project import ProjectSlug
from windlass_gateway.entrypoints.pages.tiles import tiles
from windlass_gateway.entrypoints.pages.visiting import AVisit, Visit, shown_at
from windlass_gateway.entrypoints.problems import problem_of

router = APIRouter(include_in_schema=False)

_TRIGGER = "page"

Ref = Annotated[str, Form(max_length=250)]
EnvironmentField = Annotated[str, Form(max_length=100)]
Key = Annotated[str, Form(max_length=100)]
DeploymentRef = Annotated[str, Path(max_length=100)]


@router.get("/projects/{slug}/deploy")
async def deploy_form(visit: AVisit, slug: ProjectSlug, ref: Annotated[str, Query(max_length=250)] = "") -> Response:
    """Ask what to deploy, and where."""
    return await _deploy_form(visit, slug, ref, None)


@router.post("/projects/{slug}/deploy")
async def deploy(
    visit: AVisit, slug: ProjectSlug, key: Key, ref: Ref = "", environment: EnvironmentField = PRODUCTION
) -> Response:
    """Deploy a branch, tag or commit; the answer leads to the deployment, on its log."""
    request = ProjectDeploy(
        key=f"{visit.visitor.csrf}:{key}",
        trigger=_TRIGGER,
        project=slug,
        ref=ref.strip() or None,
        environment=environment.strip() or PRODUCTION,
    )
    try:
        requested = await Redeploying(visit.gateway).deploy_project(visit.caller, request)
    except Refusal as refusal:
        return await _deploy_form(visit, slug, ref, refusal)
    return shown_at(f"/deployments/{requested.deployment}", requested.sequence)


async def _deploy_form(visit: Visit, slug: str, ref: str, refusal: Refusal | None) -> Response:
    project = await visit.finder.project(slug)
    around = (await visit.lines.around([project]))[project.key]
    problem = None if refusal is None else problem_of(refusal)
    return visit.render(
        "pages/deploy.html",
        status=200 if problem is None else problem.status,
        slug=slug,
        environments=around.environments.all,
        branches=await branches(visit.lines, around),
        key=visit.gateway.fresh_id(),
        chosen_ref=ref,
        problem=problem,
    )


@router.get("/projects/{slug}/rollback")
async def rollback_form(visit: AVisit, slug: ProjectSlug) -> Response:
    """Ask which version to go back to."""
    return await _rollback_form(visit, slug, None)


@router.post("/projects/{slug}/rollback")
async def roll_back(
    visit: AVisit,
    slug: ProjectSlug,
    to: Annotated[str, Form(max_length=40)],
    environment: EnvironmentField = PRODUCTION,
    reason: Annotated[str, Form(max_length=1_000)] = "",
) -> Response:
    """Let an environment answer with an earlier version."""
    command = RollbackCommand(slug, environment, to, reason.strip() or None)
    try:
        accepted = await RollingBack(visit.gateway).roll_back(visit.caller, command)
    except Refusal as refusal:
        return await _rollback_form(visit, slug, refusal)
    return shown_at(f"/projects/{slug}", accepted.sequence, "rollback-requested")


@router.post("/projects/{slug}/release")
async def release(visit: AVisit, slug: ProjectSlug, environment: EnvironmentField = PRODUCTION) -> Response:
    """Let an environment that was rolled back take pushes again."""
    sequence = await Releasing(visit.gateway).release(visit.caller, slug, environment)
    return shown_at(f"/projects/{slug}", sequence, "released")


@router.post("/deployments/{deployment}/promote")
async def promote(visit: AVisit, deployment: DeploymentRef, to: EnvironmentField = PRODUCTION) -> Response:
    """Let an environment answer with a deployment that was live."""
    accepted = await Promoting(visit.gateway).promote(visit.caller, PromoteCommand(deployment, to))
    return shown_at(f"/deployments/{accepted.to}", accepted.sequence, "promotion-requested")


@router.post("/deployments/{deployment}/weight")
async def weigh(
    visit: AVisit,
    deployment: DeploymentRef,
    weight: Annotated[int, Form()],
    environment: EnvironmentField = PRODUCTION,
) -> Response:
    """Send a percentage of an environment's requests to a deployment."""
    accepted = await Weighing(visit.gateway).weigh(visit.caller, WeighCommand(deployment, weight, environment))
    return shown_at(f"/projects/{accepted.project}", accepted.sequence, "weight-requested")


@router.post("/projects/{slug}/rollout/stop")
async def stop_rollout(
    visit: AVisit,
    slug: ProjectSlug,
    environment: EnvironmentField = PRODUCTION,
    deployment: Annotated[str | None, Form(max_length=40)] = None,
) -> Response:
    """Send all of an environment's requests to what has it again, if what the page showed has its part still."""
    stopped = await Weighing(visit.gateway).stop(visit.caller, StopCommand(slug, environment, deployment))
    return shown_at(f"/projects/{slug}", stopped.sequence, "rollout-stopped")


async def _rollback_form(visit: Visit, slug: str, refusal: Refusal | None) -> Response:
    project = await visit.finder.project(slug)
    around = (await visit.lines.around([project]))[project.key]
    problem = None if refusal is None else problem_of(refusal)
    return visit.render(
        "pages/rollback.html",
        status=200 if problem is None else problem.status,
        slug=slug,
        tiles=await tiles(visit.lines, around),
        problem=problem,
    )


@router.post("/deployments/{deployment}/redeploy")
async def redeploy(visit: AVisit, deployment: DeploymentRef, key: Key) -> Response:
    """Deploy the commit of a deployment again, with the configuration and variables of now."""
    asked = await Redeploying(visit.gateway).redeploy(visit.caller, deployment, f"{visit.visitor.csrf}:{key}")
    return shown_at(f"/deployments/{asked.deployment}", asked.sequence)


@router.post("/deployments/{deployment}/cancel")
async def cancel(visit: AVisit, deployment: DeploymentRef) -> Response:
    """End a deployment before its cutover."""
    canceled = await Canceling(visit.gateway).cancel(visit.caller, deployment)
    return shown_at(f"/deployments/{DeploymentId(canceled.deployment)}", canceled.sequence, "canceled")
