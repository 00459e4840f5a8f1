"""What the gateway knows of a project's credentials: for which host they are, and public halves of keys; no secrets."""

import re
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.credential_values import CredentialKind
from windlass_contracts.event import Event
from windlass_contracts.events import CredentialRemoved, CredentialSet
from windlass_contracts.ids import SecretId
from windlass_contracts.values import HostPort
from windlass_gateway.domain.refusals import CredentialNotFoundError, InvalidInputError

MOST_CREDENTIALS = 50

_USUAL_PORTS = {CredentialKind.DEPLOY_KEY: ":22", CredentialKind.HTTPS: ":443", CredentialKind.REGISTRY: ":443"}
_SCHEMES = {CredentialKind.DEPLOY_KEY: "ssh", CredentialKind.HTTPS: "https"}
_HOST: TypeAdapter[str] = TypeAdapter(HostPort)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _one_line(text: str) -> str:
    if _CONTROL.search(text):
        msg = "it must be one line: no line breaks, no control characters"
        raise ValueError(msg)
    return text


UserName = Annotated[str, StringConstraints(max_length=200), AfterValidator(_one_line)]
Password = Annotated[str, StringConstraints(min_length=1, max_length=8_000), AfterValidator(_one_line)]
"""A password or token: what Git hands on line by line must not have a line of its own in it."""


class Credential(BaseModel):
    """One credential; a host has one of each kind."""

    model_config = ConfigDict(frozen=True)

    kind: str
    host: str
    secret: SecretId
    public_key: str | None
    set_at: datetime


class Credentials(BaseModel):
    """The row of a project's credentials."""

    model_config = ConfigDict(frozen=True)

    all: tuple[Credential, ...] = ()

    def find(self, kind: str, host: str) -> Credential | None:
        return next((one for one in self.all if (one.kind, one.host) == (kind, host)), None)


def evolve(row: Credentials | None, recorded: Recorded[Event]) -> Credentials | None:
    """Fold one event into the row."""
    row = row or Credentials()
    match recorded.event:
        case CredentialSet(kind=kind, host=host, secret=secret, public_key=public_key):
            changed = Credential(
                kind=kind, host=host, secret=secret, public_key=public_key, set_at=recorded.metadata.time
            )
            return Credentials(all=(*_others(row, kind, host), changed))
        case CredentialRemoved(kind=kind, host=host):
            return Credentials(all=_others(row, kind, host))
        case _:
            return row


def _others(row: Credentials, kind: str, host: str) -> tuple[Credential, ...]:
    return tuple(one for one in row.all if (one.kind, one.host) != (kind, host))


def check_room(row: Credentials, kind: CredentialKind, host: str) -> None:
    """Refuse one credential too many.

    Raises:
        InvalidInputError: the project has as many as it may.
    """
    if row.find(kind, host) is None and len(row.all) >= MOST_CREDENTIALS:
        raise InvalidInputError(
            f"The project has {len(row.all)} credentials; {MOST_CREDENTIALS} is the limit.",
            field="host",
            next_step="Remove those that it does not need: `windlass credentials remove`.",
        )


def decide_removal(project: str, row: Credentials, kind: CredentialKind, host: str) -> CredentialRemoved:
    """Return the event that takes a credential back.

    Raises:
        CredentialNotFoundError: the project has none of the kind for the host.
    """
    if row.find(kind, host) is None:
        raise CredentialNotFoundError(project, kind, host)
    return CredentialRemoved(kind=kind, host=host)


def checked_host(kind: CredentialKind, written: str, repository: str | None) -> str:
    """Return the host, with its port where that is not the usual one; the repository's where none is given.

    Raises:
        InvalidInputError: it is none, or there is none.
    """
    host = written.strip().lower() or _host_of(kind, repository)
    host = host.removesuffix(_USUAL_PORTS[kind])
    try:
        return _HOST.validate_python(host)
    except ValidationError:
        raise InvalidInputError(
            f"{host[:60]!r} is no name of a host.",
            field="host",
            next_step="Write it like git.example.com or git.example.com:2222, without https:// and without a path. "
            "An IP address will not do: another machine could get it.",
        ) from None


def _host_of(kind: CredentialKind, repository: str | None) -> str:
    parts = urlsplit(repository or "")
    wanted = _SCHEMES.get(kind)
    if wanted is None:
        raise InvalidInputError(
            "Nobody said which registry the credential is for.",
            field="host",
            next_step="Name it, like ghcr.io or registry.example.com:5000.",
        )
    if parts.scheme != wanted:
        other = "git@host:owner/repo" if wanted == "ssh" else "https://host/owner/repo"
        raise InvalidInputError(
            f"The project's repository is not fetched by {wanted}, so the credential would never be shown to its host.",
            field="host",
            next_step=f"Give the project an address like {other}, or name the host that the credential is for.",
        )
    return parts.netloc.rpartition("@")[2]
