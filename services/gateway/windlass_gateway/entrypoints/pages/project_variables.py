"""`/projects/{slug}/variables`: names and when they were set. Values go in, and are shown nowhere."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Response

from windlass_eventlog.projection import Versioned
from windlass_gateway.application.projections import VARIABLES
from windlass_gateway.application.shredding import Shredding
from windlass_gateway.application.variables import SettingVariables, VariablePlace, VariablesPlace
from windlass_gateway.domain.env_file import EnvFile, read_env_file
from windlass_gateway.domain.project import Project
from windlass_gateway.domain.refusals import Refusal
from windlass_gateway.domain.variables import Preview, Variables
from windlass_gateway.entrypoints.audited import acted
from windlass_gateway.entrypoints.pages.project import ProjectSlug
from windlass_gateway.entrypoints.pages.repository_links import RepositoryLinks
from windlass_gateway.entrypoints.pages.visiting import AVisit, Visit, shown_at
from windlass_gateway.entrypoints.problems import problem_of
from windlass_gateway.entrypoints.shown import Shown

router = APIRouter(include_in_schema=False)

_PATH = "/projects/{slug}/variables"
EnvironmentField = Annotated[str, Form(max_length=100)]
Name = Annotated[str, Form(max_length=200)]
Paste = Annotated[str, Form(max_length=600_000)]


@router.get(_PATH)
async def show_variables(visit: AVisit, slug: ProjectSlug) -> Response:
    """List the names, each with where it counts and since when."""
    return await _page(visit, await visit.finder.project(slug))


@router.post(_PATH)
async def set_variables(
    visit: AVisit,
    slug: ProjectSlug,
    env: Paste = "",
    environment: EnvironmentField = "",
    sure: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Show what the paste would do; set it once that was seen."""
    project = await visit.finder.project(slug)
    place = VariablesPlace(slug, environment or None)
    using = SettingVariables(visit.gateway)
    try:
        read = read_env_file(env)
        if not sure or read.unreadable:
            known = await using.preview(visit.caller, place, read.values)
            return await _page(visit, project, env=env, environment=environment, read=read, preview=known)
        sequence = await using.set_many(visit.caller, place, read.readable())
    except Refusal as refusal:
        return await _page(visit, project, env=env, environment=environment, refusal=refusal)
    return shown_at(f"/projects/{slug}/variables", sequence, "variables-set")


@router.post(f"{_PATH}/remove")
async def remove_variable(visit: AVisit, slug: ProjectSlug, name: Name, environment: EnvironmentField = "") -> Response:
    """Remove one."""
    place = VariablePlace(slug, name, environment or None)
    sequence = await SettingVariables(visit.gateway).remove(visit.caller, place)
    return shown_at(f"/projects/{slug}/variables", sequence, "variable-removed")


@router.get(f"{_PATH}/shred")
async def ask_to_shred(
    visit: AVisit,
    slug: ProjectSlug,
    name: Annotated[str, Query(max_length=200)],
    environment: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Say what it costs to delete a variable's values for good, and ask."""
    project = await visit.finder.project(slug)
    found = await Shredding(visit.gateway).preview(visit.caller, VariablePlace(slug, name, environment or None))
    return visit.render(
        "pages/shred.html",
        slug=slug,
        name=name,
        environment=environment,
        found=found,
        affected=await Shown(visit.finder, visit.shared.places).affected(project.key, found.affected),
    )


@router.post(f"{_PATH}/shred")
async def shred_values(visit: AVisit, slug: ProjectSlug, name: Name, environment: EnvironmentField = "") -> Response:
    """Remove the variable, and delete its values for good."""
    done = await Shredding(visit.gateway).shred(visit.caller, VariablePlace(slug, name, environment or None))
    acted(visit.request, "shred")
    return shown_at(f"/projects/{slug}/variables", done.sequence, "values-shredded")


@router.post("/env-preview")
async def preview_paste(visit: AVisit, env: Paste = "") -> Response:
    """Say which names a paste sets, and which of its lines cannot be read, while it is being written."""
    try:
        read, problem = read_env_file(env), None
    except Refusal as refusal:
        read, problem = EnvFile(), problem_of(refusal)
    return visit.render("parts/env_preview.html", read=read, problem=problem)


async def _page(  # noqa: PLR0913 - all but two by name
    visit: Visit,
    project: Versioned[Project],
    *,
    env: str = "",
    environment: str = "",
    read: EnvFile | None = None,
    preview: Preview | None = None,
    refusal: Refusal | None = None,
) -> Response:
    found = await visit.finder.rows.get(VARIABLES, project.key)
    known = Variables() if found is None else found.row
    environments = (await visit.finder.environments(project.key)).all
    names = {one.id: one.name for one in environments}
    problem = None if refusal is None else problem_of(refusal)
    return visit.render(
        "pages/project_variables.html",
        status=200 if problem is None else problem.status,
        slug=project.row.slug,
        links=RepositoryLinks.of(project.row.repository),
        variables=sorted(known.all, key=lambda one: (one.name, str(one.environment))),
        names=names,
        environments=environments,
        env=env,
        environment=environment,
        read=read,
        preview=preview,
        problem=problem,
    )
