"""`/projects/{slug}/containers`: the containers of what is live, how many there shall be, and fresh ones for them."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from windlass_gateway.application.scaling import ScaleCommand, Scaling
from windlass_gateway.domain.environments import PRODUCTION
from windlass_gateway.domain.refusals import InvalidInputError, Refusal
from windlass_gateway.entrypoints.pages.project import ProjectSlug
from windlass_gateway.entrypoints.pages.repository_links import RepositoryLinks
from windlass_gateway.entrypoints.pages.tiles import tiles
from windlass_gateway.entrypoints.pages.visiting import AVisit, Visit, shown_at
from windlass_gateway.entrypoints.problems import problem_of

router = APIRouter(prefix="/projects/{slug}", include_in_schema=False)

EnvironmentField = Annotated[str, Form(max_length=100)]


@router.get("/containers")
async def show_containers(visit: AVisit, slug: ProjectSlug) -> Response:
    """Show the containers of what answers in each environment."""
    return await _page(visit, slug)


@router.post("/scale")
async def scale(
    visit: AVisit,
    slug: ProjectSlug,
    replicas: Annotated[str, Form(max_length=20)] = "",
    environment: EnvironmentField = PRODUCTION,
) -> Response:
    """Let what answers in an environment run in so many containers."""
    try:
        accepted = await Scaling(visit.gateway).scale(visit.caller, ScaleCommand(slug, _count(replicas), environment))
    except Refusal as refusal:
        return await _page(visit, slug, environment, replicas, refusal)
    return shown_at(f"/projects/{slug}", accepted.sequence, "scaled")


@router.post("/restart")
async def restart(visit: AVisit, slug: ProjectSlug, environment: EnvironmentField = PRODUCTION) -> Response:
    """Replace the containers of what answers in an environment by fresh ones."""
    try:
        accepted = await Scaling(visit.gateway).restart(visit.caller, slug, environment)
    except Refusal as refusal:
        return await _page(visit, slug, environment, "", refusal)
    return shown_at(f"/projects/{slug}", accepted.sequence, "restart-requested")


def _count(written: str) -> int:
    text = written.strip()
    if not (text.isascii() and text.isdigit()):
        raise InvalidInputError(
            f"{text[:20]!r} is no number of containers.",
            field="replicas",
            next_step="Write a whole number from 1 to 100.",
        )
    return int(text)


async def _page(
    visit: Visit, slug: str, environment: str = "", written: str = "", refusal: Refusal | None = None
) -> Response:
    """Show the page; after a refusal with what was written, beside the field that it is about."""
    project = await visit.finder.project(slug)
    around = (await visit.lines.around([project]))[project.key]
    problem = None if refusal is None else problem_of(refusal)
    shown = [tile for tile in await tiles(visit.lines, around) if tile.row is not None]
    return visit.render(
        "pages/project_containers.html",
        status=200 if problem is None else problem.status,
        slug=slug,
        links=RepositoryLinks.of(project.row.repository),
        tiles=shown,
        problem=problem,
        problem_in=environment,
        written=written,
        key=visit.gateway.fresh_id(),
    )
