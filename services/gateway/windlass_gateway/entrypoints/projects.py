"""`/api/v1/projects`: list, roll back, variables."""

from typing import Annotated

from fastapi import APIRouter, Path

from windlass_contracts.values import Slug, VariableName
from windlass_gateway.application.projections import PROJECTS
from windlass_gateway.application.rolling_back import RollbackCommand, RollingBack
from windlass_gateway.application.variables import SettingVariables, VariablePlace
from windlass_gateway.entrypoints.bodies import Done, RollbackBody, VariableBody
from windlass_gateway.entrypoints.context import ACaller, AContext, AReader
from windlass_gateway.entrypoints.shown import Shown
from windlass_gateway.entrypoints.views import ProjectView, RollbackAcceptedView, VariableView

router = APIRouter(prefix="/projects", tags=["projects"])

ProjectSlug = Annotated[str, Path(max_length=100, description="the project's name in its address")]
Variable = Annotated[VariableName, Path(description="letters, digits and underscores, no digit first")]


@router.get("")
async def list_projects(finder: AReader, shared: AContext) -> list[ProjectView]:
    """List the team's projects, the latest changed first."""
    shown = Shown(finder, shared.places)
    return [await shown.project(found) for found in await finder.rows.find(PROJECTS, {"team": finder.team})]


@router.get("/{slug}")
async def get_project(slug: ProjectSlug, finder: AReader, shared: AContext) -> ProjectView:
    """Return a project: its configuration, its environments, and what answers in each."""
    return await Shown(finder, shared.places).project(await finder.project(slug))


@router.post("/{slug}/rollback", status_code=202)
async def roll_back(slug: ProjectSlug, body: RollbackBody, asking: ACaller, shared: AContext) -> RollbackAcceptedView:
    """Let an environment answer with a version that was live there before."""
    command = RollbackCommand(slug, body.environment, body.to)
    return RollbackAcceptedView.model_validate(await RollingBack(shared.gateway).roll_back(asking, command))


@router.get("/{slug}/variables")
async def list_variables(slug: ProjectSlug, finder: AReader, shared: AContext) -> list[VariableView]:
    """List the variables that the next deployment gets, without their values."""
    return await Shown(finder, shared.places).variables(await finder.project(slug))


@router.put("/{slug}/variables/{name}")
async def set_variable(
    slug: ProjectSlug, name: Variable, body: VariableBody, asking: ACaller, shared: AContext
) -> Done:
    """Set a variable for the deployments to come."""
    place = VariablePlace(slug, name, body.environment)
    return Done(sequence=await SettingVariables(shared.gateway).set(asking, place, body.value))


@router.delete("/{slug}/variables/{name}")
async def remove_variable(
    slug: ProjectSlug, name: Variable, asking: ACaller, shared: AContext, environment: Slug | None = None
) -> Done:
    """Remove a variable for the deployments to come."""
    place = VariablePlace(slug, name, environment)
    return Done(sequence=await SettingVariables(shared.gateway).remove(asking, place))
