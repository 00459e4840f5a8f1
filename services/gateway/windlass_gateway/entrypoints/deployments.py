"""`/api/v1/deployments`: request, list, look at, cancel, promote."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, status

from windlass_contracts.events.deployment import Source
from windlass_contracts.ids import DeploymentId
from windlass_contracts.values import Slug
from windlass_gateway.application.canceling import Canceling
from windlass_gateway.application.deploying import Deploying, DeployRequest, Requested
from windlass_gateway.application.explaining import explained
from windlass_gateway.application.projections import DEPLOYMENTS
from windlass_gateway.application.promoting import PromoteCommand, Promoting
from windlass_gateway.application.redeploying import Redeploying
from windlass_gateway.application.scaling import Scaling
from windlass_gateway.application.uploads import Uploads
from windlass_gateway.application.weighing import WeighCommand, Weighing
from windlass_gateway.entrypoints.accepted import (
    CancelAccepted,
    DeploymentAccepted,
    ReplicasAcceptedView,
    SwitchAcceptedView,
)
from windlass_gateway.entrypoints.bodies import DeployBody, IdempotencyKey, PromoteBody, WeightBody, image_source
from windlass_gateway.entrypoints.context import ACaller, AContext, AReader, Context
from windlass_gateway.entrypoints.deployment_views import DeploymentSummary, DeploymentView, ExplanationView
from windlass_gateway.entrypoints.shown import Shown

router = APIRouter(prefix="/deployments", tags=["deployments"])

DeploymentRef = Annotated[str, Path(max_length=100, description="the id, or 4 or more characters of its beginning")]
AnIdempotencyKey = Annotated[
    IdempotencyKey | None, Header(description="The same key is the same deployment, however often it is sent.")
]
ARestartKey = Annotated[
    IdempotencyKey | None, Header(description="The same key within two minutes is the same restart of a version.")
]
TRIGGER = "api"


@router.post("", status_code=status.HTTP_202_ACCEPTED)
async def request_deployment(
    body: DeployBody,
    asking: ACaller,
    shared: AContext,
    idempotency_key: AnIdempotencyKey = None,
) -> DeploymentAccepted:
    """Request a deployment; answered once the request is durable. A new project comes into being with it."""
    request = DeployRequest(
        key=idempotency_key or str(shared.gateway.fresh_id()),
        trigger=TRIGGER,
        source=await _source(body, asking, shared),
        project=body.project,
        environment=body.environment,
        config=body.config,
        variables=body.values(),
    )
    return accepted(shared, await Deploying(shared.gateway).deploy(asking, request))


async def _source(body: DeployBody, asking: ACaller, shared: AContext) -> Source:
    if body.image is not None:
        return image_source(body.image)
    if body.upload is not None:
        return await Uploads(shared.gateway).find(asking, body.upload)
    return body.git_source()


@router.post("/{deployment}/redeploy", status_code=status.HTTP_202_ACCEPTED)
async def redeploy(
    deployment: DeploymentRef, asking: ACaller, shared: AContext, idempotency_key: AnIdempotencyKey = None
) -> DeploymentAccepted:
    """Deploy the same commit again, with the project's configuration and variables of now."""
    key = idempotency_key or str(shared.gateway.fresh_id())
    return accepted(shared, await Redeploying(shared.gateway).redeploy(asking, deployment, key))


def accepted(shared: Context, requested: Requested) -> DeploymentAccepted:
    """Return the answer to a request that is durable."""
    return DeploymentAccepted(
        deployment=requested.deployment,
        project=requested.project,
        environment=requested.environment.name,
        sequence=requested.sequence,
        urls=shared.places.expected(requested.project, requested.environment, requested.deployment),
    )


@router.get("")
async def list_deployments(
    finder: AReader,
    shared: AContext,
    project: Slug | None = None,
    environment: Slug | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[DeploymentSummary]:
    """List deployments, the latest changed ones, in the order in which they were requested."""
    where: dict[str, object] = {"team": finder.team}
    if project is not None:
        found = await finder.project(project)
        where["project"] = found.key
        if environment is not None:
            where["environment"] = (await finder.environment(found, environment)).id
    rows = await finder.rows.find(DEPLOYMENTS, where, limit=limit)
    shown = Shown(finder, shared.places)
    ordered = sorted(rows, key=lambda one: one.row.requested_sequence, reverse=True)
    return [await shown.summary(one) for one in ordered]


@router.get("/{deployment}")
async def get_deployment(deployment: DeploymentRef, finder: AReader, shared: AContext) -> DeploymentView:
    """Return a deployment: each step with its duration, its end, its addresses."""
    return await Shown(finder, shared.places).deployment(await finder.deployment(deployment))


@router.post("/{deployment}/cancel")
async def cancel_deployment(deployment: DeploymentRef, asking: ACaller, shared: AContext) -> CancelAccepted:
    """End a deployment before its cutover begins."""
    canceled = await Canceling(shared.gateway).cancel(asking, deployment)
    return CancelAccepted(deployment=canceled.deployment, sequence=canceled.sequence)


@router.post("/{deployment}/restart", status_code=status.HTTP_202_ACCEPTED)
async def restart(
    deployment: DeploymentRef, asking: ACaller, shared: AContext, idempotency_key: ARestartKey = None
) -> ReplicasAcceptedView:
    """Replace the containers of a deployment that answers by fresh ones, one by one."""
    request = await Scaling(shared.gateway).restart_deployment(asking, deployment, idempotency_key)
    return ReplicasAcceptedView.model_validate(request)


@router.post("/{deployment}/promote", status_code=status.HTTP_202_ACCEPTED)
async def promote(
    deployment: DeploymentRef, body: PromoteBody, asking: ACaller, shared: AContext
) -> SwitchAcceptedView:
    """Let an environment answer with a deployment that was live, wherever it was; a hold of the environment ends."""
    accepted = await Promoting(shared.gateway).promote(asking, PromoteCommand(deployment, body.to))
    return SwitchAcceptedView.model_validate(accepted)


@router.post("/{deployment}/weight", status_code=status.HTTP_202_ACCEPTED)
async def weigh(deployment: DeploymentRef, body: WeightBody, asking: ACaller, shared: AContext) -> SwitchAcceptedView:
    """Send a percentage of an environment's requests to a deployment that was live; 100 gives it the environment."""
    accepted = await Weighing(shared.gateway).weigh(asking, WeighCommand(deployment, body.weight, body.to))
    return SwitchAcceptedView.model_validate(accepted)


@router.get("/{deployment}/explain")
async def explain_deployment(deployment: DeploymentRef, finder: AReader, shared: AContext) -> ExplanationView:
    """Say what the deployment waits for, from whom and until when; or how it ended, and what to do."""
    found = await finder.deployment(deployment)
    return ExplanationView.of(DeploymentId(found.key), found.row, await explained(shared.gateway, found))
