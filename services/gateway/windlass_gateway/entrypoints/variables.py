"""`/api/v1/projects/{slug}/variables`: list, set, remove, preview. Values go in, and never come out."""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from windlass_contracts.values import Slug, VariableName
from windlass_gateway.application.shredding import Shredding
from windlass_gateway.application.variables import SettingVariables, VariablePlace, VariablesPlace
from windlass_gateway.domain.env_file import read_env_file
from windlass_gateway.entrypoints.accepted import Done, ShredDone
from windlass_gateway.entrypoints.audited import acted
from windlass_gateway.entrypoints.context import ACaller, AContext, AReader
from windlass_gateway.entrypoints.projects import ProjectSlug
from windlass_gateway.entrypoints.shown import Shown
from windlass_gateway.entrypoints.variable_bodies import PreviewBody, ShredBody, VariableBody, VariablesBody
from windlass_gateway.entrypoints.variable_views import PreviewView, ShreddableView, VariableView

router = APIRouter(prefix="/projects", tags=["variables"])

Variable = Annotated[VariableName, Path(description="letters, digits and underscores, no digit first")]


@router.get("/{slug}/variables")
async def list_variables(slug: ProjectSlug, finder: AReader, shared: AContext) -> list[VariableView]:
    """List the variables that the next deployment gets, without their values."""
    return await Shown(finder, shared.places).variables(await finder.project(slug))


@router.put("/{slug}/variables")
async def set_variables(slug: ProjectSlug, body: VariablesBody, asking: ACaller, shared: AContext) -> Done:
    """Set many variables at once for the deployments to come; the others stay."""
    place = VariablesPlace(slug, body.environment)
    return Done(sequence=await SettingVariables(shared.gateway).set_many(asking, place, body.values()))


@router.post("/{slug}/variables/preview")
async def preview_variables(slug: ProjectSlug, body: PreviewBody, asking: ACaller, shared: AContext) -> PreviewView:
    """Say what setting the variables of a `.env` file would do, and which of its lines cannot be read; set nothing."""
    read = read_env_file(body.env_file)
    place = VariablesPlace(slug, body.environment)
    return PreviewView.of(read, await SettingVariables(shared.gateway).preview(asking, place, read.values))


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


@router.get("/{slug}/variables/{name}/shredding")
async def preview_shredding(  # noqa: PLR0913 - all but four from the query
    slug: ProjectSlug,
    name: Variable,
    asking: ACaller,
    finder: AReader,
    shared: AContext,
    *,
    environment: Slug | None = None,
    replaced: bool = False,
) -> ShreddableView:
    """Say what shredding the values of a variable would delete, and which deployments need them; delete nothing."""
    place = VariablePlace(slug, name, environment)
    found = await Shredding(shared.gateway).preview(asking, place, replaced=replaced)
    project = await finder.project(slug)
    return ShreddableView(
        values=len(found.values),
        removes=found.is_set and not replaced,
        affected=await Shown(finder, shared.places).affected(project.key, found.affected),
    )


@router.post("/{slug}/variables/{name}/shredding")
async def shred_variable(
    request: Request, slug: ProjectSlug, name: Variable, body: ShredBody, asking: ACaller, shared: AContext
) -> ShredDone:
    """Remove a variable and delete its values for good: no deployment that needs them can be started again."""
    place = VariablePlace(slug, name, body.environment)
    done = await Shredding(shared.gateway).shred(asking, place, replaced=body.replaced)
    acted(request, "shred")
    return ShredDone(sequence=done.sequence, values=done.values)
