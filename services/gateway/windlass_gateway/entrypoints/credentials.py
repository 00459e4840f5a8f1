"""`/api/v1/projects/{slug}/credentials`: list, set, take back. Secrets go in, and never come out."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from windlass_contracts.credential_values import CredentialKind, Login
from windlass_gateway.application.credentials import CredentialPlace, ManagingCredentials
from windlass_gateway.domain.credentials import Password, UserName
from windlass_gateway.domain.refusals import InvalidInputError
from windlass_gateway.entrypoints.accepted import Done
from windlass_gateway.entrypoints.body import Body
from windlass_gateway.entrypoints.context import ACaller, AContext, AReader
from windlass_gateway.entrypoints.projects import ProjectSlug

router = APIRouter(prefix="/projects/{slug}/credentials", tags=["credentials"])

_HOST = "like github.com or git.example.com:2222; the host of the project's repository without one"
AHost = Annotated[str, Query(max_length=300, description=_HOST)]
DEFAULT_USER = "x-access-token"
"""GitHub, GitLab and Gitea take a token with any name."""


class CredentialBody(Body):
    """What a host is shown; nothing for a deploy key, which is made here."""

    kind: CredentialKind
    host: Annotated[str, Field(max_length=300, description=_HOST)] = ""
    user: Annotated[UserName, Field(description="any will do for most hosts that take a token")] = ""
    password: Annotated[Password | None, Field(description="the password or token; none for a deploy key")] = None

    @model_validator(mode="after")
    def _keys_are_made_here(self) -> Self:
        if self.kind is CredentialKind.DEPLOY_KEY and (self.user or self.password is not None):
            msg = "a deploy key is made here: it has neither user nor password"
            raise ValueError(msg)
        return self

    def login(self) -> Login:
        """Return the name and the password.

        Raises:
            InvalidInputError: there is no password, or a registry's user has no name.
        """
        if self.password is None:
            raise InvalidInputError(
                "There is no password or token.", field="password", next_step="Give the one that the host made for you."
            )
        if self.kind is CredentialKind.REGISTRY and not self.user:
            raise InvalidInputError(
                "A registry wants a user's name.", field="user", next_step="Give the one that the password belongs to."
            )
        return Login(user=self.user or DEFAULT_USER, password=self.password)


class CredentialView(BaseModel):
    """A credential, without its secret."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    kind: str
    host: str
    public_key: Annotated[str | None, Field(description="of a deploy key: give it to the host, to read only")]
    set_at: datetime


class CredentialDone(Done):
    """The credential is set, for all fetches from now on."""

    kind: CredentialKind
    host: str
    public_key: str | None
    next: Annotated[str, Field(description="what is left to do")]


@router.get("")
async def list_credentials(
    slug: ProjectSlug, asking: ACaller, finder: AReader, shared: AContext
) -> list[CredentialView]:
    """List a project's credentials, without their secrets."""
    del finder
    found = await ManagingCredentials(shared.gateway).list(asking, slug)
    return [CredentialView.model_validate(one) for one in found]


@router.post("")
async def set_credential(slug: ProjectSlug, body: CredentialBody, asking: ACaller, shared: AContext) -> CredentialDone:
    """Set what the builder shows to a host, or have a deploy key made; it replaces the one before."""
    using, place = ManagingCredentials(shared.gateway), CredentialPlace(slug, body.kind, body.host)
    if body.kind is CredentialKind.DEPLOY_KEY:
        done = await using.make_deploy_key(asking, place)
    else:
        done = await using.set_login(asking, place, body.login())
    return CredentialDone(
        sequence=done.sequence,
        kind=body.kind,
        host=done.host,
        public_key=done.public_key,
        next=next_step(body.kind, done.host),
    )


@router.delete("/{kind}")
async def remove_credential(
    slug: ProjectSlug, kind: CredentialKind, asking: ACaller, shared: AContext, host: AHost = ""
) -> Done:
    """Take a credential back: its secret is deleted."""
    place = CredentialPlace(slug, kind, host)
    return Done(sequence=await ManagingCredentials(shared.gateway).remove(asking, place))


def next_step(kind: str, host: str) -> str:
    """Say what is left to do once a credential is set."""
    if kind == CredentialKind.DEPLOY_KEY:
        place = "Settings, Deploy keys, Add deploy key" if host == "github.com" else "its settings, as a deploy key"
        return f"Add the public key to the repository at {host} ({place}), to read only. Then deploy."
    return f"It is shown to {host} alone, from the next fetch on."
