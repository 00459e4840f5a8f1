"""What the builder knows of a project's credentials: for which host each is, and under which id its secret lies."""

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import CredentialRemoved, CredentialSet
from windlass_contracts.ids import SecretId


class Credential(BaseModel):
    """One credential; a host has one of each kind."""

    model_config = ConfigDict(frozen=True)

    kind: str
    host: str
    secret: SecretId


class Credentials(BaseModel):
    """The row of a project's credentials."""

    model_config = ConfigDict(frozen=True)

    all: tuple[Credential, ...] = ()


def evolve(row: Credentials | None, recorded: Recorded[Event]) -> Credentials | None:
    """Fold one event into the row."""
    event = recorded.event
    if not isinstance(event, CredentialSet | CredentialRemoved):
        return row
    before = () if row is None else row.all
    others = tuple(one for one in before if (one.kind, one.host) != (event.kind, event.host))
    if isinstance(event, CredentialRemoved):
        return Credentials(all=others)
    return Credentials(all=(*others, Credential(kind=event.kind, host=event.host, secret=event.secret)))
