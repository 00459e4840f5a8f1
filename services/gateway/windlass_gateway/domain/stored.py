"""What the log names of what lies beside it: values of variables, command lines, and texts that a person wrote."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event, published_events
from windlass_contracts.events import CredentialSet, VariableSet
from windlass_contracts.ids import EnvironmentId, KeptIn, NoteId, ProjectId, SecretId, TeamId


class NamedSecret(BaseModel):
    """A value, by its id: of a variable, without an environment one that counts in each; without a name, another."""

    model_config = ConfigDict(frozen=True)

    team: TeamId
    project: ProjectId
    name: str | None
    environment: EnvironmentId | None
    set_at: datetime


class NamedNote(BaseModel):
    """A text, by its id; the event at this sequence was the last to name it."""

    model_config = ConfigDict(frozen=True)

    named_at: int


def secret_field(kind: type[Event]) -> str | None:
    """Return the field by which events of a type name a value."""
    fields = kind.model_fields.items()
    return next((name for name, field in fields if KeptIn.SECRETS in field.metadata), None)


def naming_secrets() -> frozenset[type[Event]]:
    """Return the types of event that name a value for good.

    A deployment names only those that a variable was set to before; of credentials, the present one alone counts.
    """
    return frozenset(kind for kind in published_events().values() if secret_field(kind)) - {CredentialSet}


def secret_of(recorded: Recorded[Event]) -> SecretId | None:
    """Return the value that an event of one of `naming_secrets` names."""
    field = secret_field(type(recorded.event))
    return None if field is None else getattr(recorded.event, field)


def note_of(recorded: Recorded[Event]) -> NoteId | None:
    """Return the text that an event of one of `naming_notes` names."""
    note: NoteId | None = getattr(recorded.event, "note")  # noqa: B009 - a field of some types, which none stands for
    return note


def naming_notes() -> frozenset[type[Event]]:
    """Return the types of event that may name a text."""
    return frozenset(kind for kind in published_events().values() if "note" in kind.model_fields)


def evolve_secret(row: NamedSecret | None, recorded: Recorded[Event]) -> NamedSecret | None:
    """Fold one event into the row of a value."""
    del row
    variable = recorded.event if isinstance(recorded.event, VariableSet) else None
    return NamedSecret(
        team=recorded.team,
        project=recorded.project,
        name=None if variable is None else variable.name,
        environment=None if variable is None else variable.environment,
        set_at=recorded.metadata.time,
    )


def evolve_note(row: NamedNote | None, recorded: Recorded[Event]) -> NamedNote | None:
    """Fold one event into the row of a text."""
    del row
    return NamedNote(named_at=recorded.sequence)
