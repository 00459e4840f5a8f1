"""`/settings/tokens`: what programs get in with. A token is shown once, by the answer that made it, and never again."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Path, Response

from windlass_gateway.application.access import Permission
from windlass_gateway.application.tokens import CreatedToken, ManagingTokens
from windlass_gateway.domain.refusals import Refusal
from windlass_gateway.entrypoints.pages.lines import by, person_of
from windlass_gateway.entrypoints.pages.visiting import AVisit, Visit, shown_at
from windlass_gateway.entrypoints.problems import problem_of

router = APIRouter(prefix="/settings/tokens", include_in_schema=False)

_LIFETIMES = {"30": "30 days", "90": "90 days", "365": "a year", "": "until it is revoked"}
"""In days, as the form offers them."""
_MEANINGS = {
    Permission.READ: "See projects, deployments, logs and events.",
    Permission.DEPLOY: "Deploy, cancel and roll back.",
    Permission.CONFIGURE: "Change variables and settings, and see the secrets of webhooks.",
    Permission.ADMINISTER: "Let others in: sign-in links and tokens.",
}


@router.get("")
async def show_tokens(visit: AVisit) -> Response:
    """List the tokens that were not revoked."""
    return await _page(visit)


@router.post("")
async def create(
    visit: AVisit,
    name: Annotated[str, Form(max_length=2_000)] = "",
    permissions: Annotated[list[Permission], Form(max_length=20)] = [],  # noqa: B006 - FastAPI copies it
    days: Annotated[str, Form(max_length=4)] = "90",
) -> Response:
    """Create one, and show it: this answer is the only one that ever does."""
    lifetime = timedelta(days=int(days)) if days in _LIFETIMES and days else None
    expires_at = None if lifetime is None else visit.gateway.clock() + lifetime
    try:
        created = await ManagingTokens(visit.gateway).create(visit.caller, name, permissions, expires_at)
    except Refusal as refusal:
        return await _page(visit, name=name, refusal=refusal)
    await visit.gateway.rows.reached(created.sequence)
    return await _page(visit, created=created)


@router.post("/{token}/revoke")
async def revoke(visit: AVisit, token: Annotated[UUID, Path()]) -> Response:
    """Revoke one; from then on it is refused."""
    sequence = await ManagingTokens(visit.gateway).revoke(visit.caller, token)
    return shown_at("/settings/tokens", sequence, "token-revoked")


async def _page(
    visit: Visit, *, name: str = "", created: CreatedToken | None = None, refusal: Refusal | None = None
) -> Response:
    found = await ManagingTokens(visit.gateway).list(visit.caller)
    makers = {maker for one in found if (maker := person_of(one.row.created_by)) is not None}
    names = await visit.gateway.personal.names(makers)
    problem = None if refusal is None else problem_of(refusal)
    return visit.render(
        "pages/tokens.html",
        status=HTTPStatus.OK if problem is None else problem.status,
        tokens=found,
        makers={one.key: by(one.row.created_by, names) for one in found},
        moment=visit.gateway.clock(),
        meanings={one: _MEANINGS[one] for one in Permission if one in visit.caller.permissions},
        lifetimes=_LIFETIMES,
        name=name,
        created=created,
        problem=problem,
    )
