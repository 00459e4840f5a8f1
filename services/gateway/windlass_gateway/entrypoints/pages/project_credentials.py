"""`/projects/{slug}/credentials`: the forms of the settings that say what opens private repositories and images."""

from typing import Annotated

from fastapi import APIRouter, Form, Response
from pydantic import ValidationError

from windlass_contracts.credential_values import CredentialKind
from windlass_gateway.application.credentials import CredentialPlace, ManagingCredentials
from windlass_gateway.domain.refusals import InvalidInputError, Refusal
from windlass_gateway.entrypoints.credentials import CredentialBody
from windlass_gateway.entrypoints.pages.project import ProjectSlug
from windlass_gateway.entrypoints.pages.project_settings import settings_page
from windlass_gateway.entrypoints.pages.visiting import AVisit, shown_at
from windlass_gateway.entrypoints.problems import problem_of

router = APIRouter(prefix="/projects/{slug}/credentials", include_in_schema=False)

Short = Annotated[str, Form(max_length=300)]
Secret = Annotated[str, Form(max_length=10_000)]


@router.post("")
async def set_credential(
    visit: AVisit,
    slug: ProjectSlug,
    kind: Annotated[CredentialKind, Form()],
    host: Short = "",
    user: Short = "",
    password: Secret = "",
) -> Response:
    """Set what a host is shown, or have a deploy key made."""
    using = ManagingCredentials(visit.gateway)
    try:
        body = _body(kind, host.strip(), user.strip(), password)
        place = CredentialPlace(slug, kind, body.host)
        if kind is CredentialKind.DEPLOY_KEY:
            done = await using.make_deploy_key(visit.caller, place)
        else:
            done = await using.set_login(visit.caller, place, body.login())
    except Refusal as refusal:
        return await settings_page(visit, slug, problem=problem_of(refusal))
    said = "credential-set" if done.public_key is None else "deploy-key-made"
    return shown_at(f"/projects/{slug}/settings", done.sequence, said)


@router.post("/remove")
async def remove_credential(
    visit: AVisit, slug: ProjectSlug, kind: Annotated[CredentialKind, Form()], host: Short
) -> Response:
    """Take one back."""
    sequence = await ManagingCredentials(visit.gateway).remove(visit.caller, CredentialPlace(slug, kind, host))
    return shown_at(f"/projects/{slug}/settings", sequence, "credential-removed")


def _body(kind: CredentialKind, host: str, user: str, password: str) -> CredentialBody:
    """Return what the form says; what was typed into fields that a deploy key does not have is left out."""
    made_here = kind is CredentialKind.DEPLOY_KEY
    try:
        return CredentialBody(
            kind=kind, host=host, user="" if made_here else user, password=None if made_here else password or None
        )
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][-1]) if first["loc"] else "password"
        why = str(first["msg"]).removeprefix("Value error, ")
        raise InvalidInputError(
            f"{field.capitalize()}: {why}.", field=field, next_step="Correct the field and send the form again."
        ) from None
