"""`/`: the projects, what is live of each and what is on its way; and what the command palette lists of them."""

from collections import ChainMap
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from windlass_contracts.ids import DeploymentId, EnvironmentId, TeamId
from windlass_contracts.lifecycle import Phase
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.projections import DEPLOYMENTS, PROJECTS, REGISTRIES
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.project import REGISTRY, Project
from windlass_gateway.entrypoints.context import Context
from windlass_gateway.entrypoints.pages.lines import Around, Line, Lines, repository_name
from windlass_gateway.entrypoints.pages.rendering import in_place
from windlass_gateway.entrypoints.pages.visiting import AVisit

router = APIRouter(include_in_schema=False)

_MOST = 200
"""Projects on one page; a search finds the others."""

Search = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class Card:
    """A project: what production answers with, and the newest deployment, if that is another one."""

    id: UUID
    slug: str
    name: str
    repository: str | None
    url: str | None
    production: EnvironmentId | None
    live: Line | None
    newest: Line | None

    @property
    def overtaking(self) -> bool:
        """Whether the newest deployment is on its way beside what is live, or ended without going live."""
        return self.live is not None and self.newest is not None and self.newest.phase is not Phase.LIVE


async def cards(lines: Lines, projects: list[Versioned[Project]]) -> list[Card]:
    """Return the projects as cards, those first that were deployed last."""
    around = await lines.around(projects)
    newest = await _newest(lines, projects)
    live = {key: _live(one) for key, one in around.items()}
    others = await lines.by_id([one for one in live.values() if one is not None], around)
    latest = {line.id: line for line in await lines.of(list(newest.values()), around)}
    known = ChainMap(latest, others)
    shown = [_card(around[one.key], live[one.key], newest.get(one.key), known, lines) for one in projects]
    return sorted(shown, key=_last_activity, reverse=True)


def _live(around: Around) -> DeploymentId | None:
    return None if around.production is None else around.current(around.production.id)


async def _newest(lines: Lines, projects: list[Versioned[Project]]) -> dict[UUID, Versioned[Deployment]]:
    """Return each project's newest deployment, as far as it is among the team's latest ones."""
    rows = lines.finder.rows
    if len(projects) == 1:
        where: dict[str, object] = {"project": projects[0].key}
        found = await rows.page(DEPLOYMENTS, where, by="requested_sequence", limit=1)
    else:
        found = await rows.page(DEPLOYMENTS, {"team": lines.finder.team}, by="requested_sequence", limit=_MOST)
    wanted = {one.key for one in projects}
    return {one.row.project: one for one in reversed(found) if one.row.project in wanted}


def _card(
    around: Around,
    live: DeploymentId | None,
    newest: Versioned[Deployment] | None,
    known: ChainMap[DeploymentId, Line],
    lines: Lines,
) -> Card:
    production = around.production
    return Card(
        id=around.project.key,
        slug=around.slug,
        name=around.project.row.name,
        repository=repository_name(around.project.row.repository),
        production=None if production is None else production.id,
        url=None if production is None else around.url(production.id, lines.places),
        live=None if live is None else known.get(live),
        newest=None if newest is None or newest.key == live else known.get(DeploymentId(newest.key)),
    )


async def _found(finder: Finder, search: str) -> list[Versioned[Project]]:
    """Return the team's projects that were touched last, or those whose name has the text in it."""
    wanted = search.strip().lower()
    if not wanted:
        return await finder.rows.find(PROJECTS, {"team": finder.team}, limit=_MOST)
    registry = await finder.rows.get(REGISTRIES, REGISTRY)
    slugs = {} if registry is None else registry.row.projects
    keys = [key for slug, key in slugs.items() if wanted in slug]
    found = await finder.rows.get_all(PROJECTS, keys[:_MOST])
    return [one for one in found.values() if one.row.team == finder.team]


@router.get("/")
async def show_projects(visit: AVisit, q: Search = "") -> Response:
    """Show the projects, those that something happened to last first."""
    place = await visit.place()
    shown = await cards(visit.lines, await _found(visit.finder, q))
    gateway = visit.gateway
    return visit.render(
        "pages/projects.html", cards=shown, q=q, place=place, nodes=gateway.nodes, uptimes=gateway.uptimes
    )


async def live(shared: Context, team: TeamId) -> str:
    """Render the list anew, for all who look at it."""
    finder = Finder(shared.gateway.rows, team)
    lines = Lines(finder, shared.gateway.personal, shared.places)
    found = await cards(lines, await _found(finder, ""))
    shown = in_place("projects", "parts/projects.html", cards=found, uptimes=shared.gateway.uptimes)
    return shown + in_place("nodes", "parts/nodes.html", nodes=shared.gateway.nodes)


def _last_activity(card: Card) -> int:
    return max((line.requested_sequence for line in (card.live, card.newest) if line is not None), default=0)


@router.get("/palette")
async def palette(visit: AVisit) -> Response:
    """List the projects for the command palette."""
    found = await _found(visit.finder, "")
    return visit.render("parts/palette_projects.html", slugs=sorted(one.row.slug for one in found))
