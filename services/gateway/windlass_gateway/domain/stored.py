"""What the log names of what lies beside it: each version of a variable's value, and each text that a person wrote."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event, published_events
from windlass_contracts.events import VariableSet
from windlass_contracts.ids import EnvironmentId, NoteId, ProjectId, TeamId


class NamedSecret(BaseModel):
    """A version of a variable's value, by the id of the value; without an environment, one that counts in each."""

    model_config = ConfigDict(frozen=True)

    team: TeamId
    project: ProjectId
    name: str
    environment: EnvironmentId | None
    set_at: datetime


class NamedNote(BaseModel):
    """A text, by its id; the event at this sequence was the last to name it."""

    model_config = ConfigDict(frozen=True)

    named_at: int


def secret_of(recorded: Recorded[Event]) -> UUID | None:
    """Return the value that an event names. A deployment names only those that a variable was set to before."""
    return recorded.event.secret if isinstance(recorded.event, VariableSet) else None


def note_of(recorded: Recorded[Event]) -> NoteId | None:
    """Return the text that an event of one of `naming_notes` names."""
    note: NoteId | None = getattr(recorded.event, "note")  # noqa: B009 - a field of some types, which none stands for
    return note


def naming_notes() -> frozenset[type[Event]]:
    """Return the types of event that may name a text."""
    return frozenset(kind for kind in published_events().values() if "note" in kind.model_fields)


def evolve_secret(row: NamedSecret | None, recorded: Recorded[Event]) -> NamedSecret | None:
    """Fold one event into the row of a value."""
    match recorded.event:
        case VariableSet(name=name, environment=environment):
            return NamedSecret(
                team=recorded.team,
                project=recorded.project,
                name=name,
                environment=environment,
                set_at=recorded.metadata.time,
            )
        case _:
            return row


def evolve_note(row: NamedNote | None, recorded: Recorded[Event]) -> NamedNote | None:
    """Fold one event into the row of a text."""
    del row
    return NamedNote(named_at=recorded.sequence)
