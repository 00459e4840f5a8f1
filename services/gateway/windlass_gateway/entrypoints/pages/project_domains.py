"""`/projects/{slug}/domains`: the forms of the settings that say which hosts answer with which environment."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from windlass_gateway.domain.environments import PRODUCTION, checked_name
from windlass_gateway.domain.refusals import Refusal
from windlass_gateway.entrypoints.domains import managing
from windlass_gateway.entrypoints.pages.project import ProjectSlug
from windlass_gateway.entrypoints.pages.project_settings import settings_page
from windlass_gateway.entrypoints.pages.visiting import AVisit, shown_at
from windlass_gateway.entrypoints.problems import problem_of

router = APIRouter(prefix="/projects/{slug}/domains", include_in_schema=False)

Short = Annotated[str, Form(max_length=2_000)]


@router.post("")
async def assign_domain(
    visit: AVisit, slug: ProjectSlug, host: Short = "", environment: Short = PRODUCTION
) -> Response:
    """Let a host answer with an environment."""
    try:
        name = checked_name(environment.strip())
        done = await managing(visit.shared).assign(visit.caller, slug, host, name)
    except Refusal as refusal:
        return await settings_page(visit, slug, problem=problem_of(refusal), domain=host)
    return shown_at(f"/projects/{slug}/settings", done.sequence, "domain-assigned")


@router.post("/remove")
async def remove_domain(visit: AVisit, slug: ProjectSlug, host: Short) -> Response:
    """Give a host back."""
    try:
        sequence = await managing(visit.shared).remove(visit.caller, slug, host)
    except Refusal as refusal:
        return await settings_page(visit, slug, problem=problem_of(refusal), domain="")
    return shown_at(f"/projects/{slug}/settings", sequence, "domain-removed")
