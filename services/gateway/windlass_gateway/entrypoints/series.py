"""`/api/v1/projects/{slug}/environments/{name}/series`: how an environment answered, in minutes, hours and days."""

from fastapi import APIRouter

from windlass_contracts.series import Series
from windlass_gateway.entrypoints.context import AContext, AReader
from windlass_gateway.entrypoints.projects import AnEnvironment, ProjectSlug
from windlass_gateway.entrypoints.uptime_views import SeriesView

router = APIRouter(prefix="/projects", tags=["projects"])


@router.get("/{slug}/environments/{name}/series")
async def get_series(slug: ProjectSlug, name: AnEnvironment, finder: AReader, shared: AContext) -> SeriesView:
    """Return how an environment answered its probes; empty lists where nothing was probed yet."""
    environment = await finder.environment(await finder.project(slug), name)
    return SeriesView.of(shared.gateway.uptimes.series(environment.id) or Series())
