"""`/projects/{slug}`: what is live since when, the other environments, the deployments, and what changed."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from windlass_contracts.ids import TeamId
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.finding import Finder
from windlass_gateway.domain.project import Project
from windlass_gateway.entrypoints.context import Context
from windlass_gateway.entrypoints.pages.history import STATES, History, Wanted, branches, history, wanted
from windlass_gateway.entrypoints.pages.lines import Around, Lines
from windlass_gateway.entrypoints.pages.rendering import in_place
from windlass_gateway.entrypoints.pages.repository_links import RepositoryLinks
from windlass_gateway.entrypoints.pages.status import Look
from windlass_gateway.entrypoints.pages.tiles import Tile, tiles
from windlass_gateway.entrypoints.pages.visiting import AVisit

router = APIRouter(prefix="/projects/{slug}", include_in_schema=False)

ProjectSlug = Annotated[str, Path(max_length=100)]
AWanted = Annotated[Wanted, Depends(wanted)]


@dataclass(frozen=True, slots=True)
class ProjectView:
    """A project as its page shows it."""

    around: Around
    tiles: list[Tile]
    history: History
    links: RepositoryLinks

    @property
    def slug(self) -> str:
        return self.around.slug

    @property
    def project(self) -> Project:
        return self.around.project.row

    @property
    def look(self) -> Look | None:
        """How the project stands in the browser's tab: by the newest deployment."""
        newest = next(iter(self.history.lines), None)
        return None if newest is None else newest.look


async def view_of(lines: Lines, project: Versioned[Project], asked: Wanted) -> ProjectView:
    """Load all that the page shows."""
    around = (await lines.around([project]))[project.key]
    links = RepositoryLinks.of(project.row.repository)
    return ProjectView(around, await tiles(lines, around), await history(lines, around, asked), links)


@router.get("")
async def show_project(visit: AVisit, slug: ProjectSlug, asked: AWanted) -> Response:
    """Show the project."""
    place = await visit.place()
    view = await view_of(visit.lines, await visit.finder.project(slug), asked)
    suggested = await branches(visit.lines, view.around)
    return visit.render(
        "pages/project.html",
        view=view,
        uptimes=visit.gateway.uptimes,
        place=place,
        branches=suggested,
        states=STATES,
        key=visit.gateway.fresh_id(),
        environments=view.around.environments.all,
        chosen_ref="",
        problem=None,
    )


async def live(shared: Context, team: TeamId, slug: str, *, with_history: bool) -> str:
    """Render the tiles anew, and the deployments too where all of them are shown."""
    finder = Finder(shared.gateway.rows, team)
    lines = Lines(finder, shared.gateway.personal, shared.places)
    view = await view_of(lines, await finder.project(slug), Wanted())
    parts = [in_place("project-tiles", "parts/project_tiles.html", view=view, uptimes=shared.gateway.uptimes)]
    if with_history:
        parts.append(in_place("project-history", "parts/project_history.html", view=view))
    return "".join(parts)
