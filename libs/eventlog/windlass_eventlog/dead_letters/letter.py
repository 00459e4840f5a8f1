"""A dead letter: a reaction that was given up, what became of it since, and what may be decided about it. Pure."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import ReactionAbandoned, ReactionDiscarded, ReactionRecovered, ReactionRetried
from windlass_contracts.ids import EventId, NoteId, TeamId
from windlass_contracts.subjects import Aggregate, Service
from windlass_eventlog.projection import Projection, aggregate_key


class _State(BaseModel):
    model_config = ConfigDict(frozen=True)

    since: datetime


class Open(_State):
    """It waits for an operator."""

    kind: Literal["open"] = "open"


class Retrying(_State):
    """An operator wants it tried again, and its service is at it."""

    kind: Literal["retrying"] = "retrying"
    by: str
    note: NoteId | None = None


class Recovered(_State):
    """It succeeded after all."""

    kind: Literal["recovered"] = "recovered"


class Discarded(_State):
    """An operator decided that it is not needed."""

    kind: Literal["discarded"] = "discarded"
    by: str
    note: NoteId


State = Open | Retrying | Recovered | Discarded
Status = Literal["open", "retrying", "recovered", "discarded"]


class DeadLetter(BaseModel):
    """The row of a reaction. `event` and `sequence` name what woke up the `reactor`, `attempts` counts the last round.

    `abandoned` is the sequence at which it was given up first; `rounds`, how often it was.
    """

    model_config = ConfigDict(frozen=True)

    team: TeamId
    service: Service
    reactor: str
    event: EventId
    sequence: int
    type: str
    correlation: EventId
    abandoned: int
    first_at: datetime
    last_at: datetime
    rounds: int
    attempts: int
    error: str
    place: str | None
    state: Annotated[State, Field(discriminator="kind")]

    @property
    def status(self) -> Status:
        return self.state.kind

    @property
    def unanswered(self) -> bool:
        """Whether it is neither recovered nor discarded."""
        return isinstance(self.state, Open | Retrying)


def evolve(row: DeadLetter | None, recorded: Recorded[Event]) -> DeadLetter | None:
    """Fold one event into the row."""
    event, now, by = recorded.event, recorded.metadata.time, recorded.metadata.actor
    if isinstance(event, ReactionAbandoned):
        return _abandoned(row, recorded, event)
    if row is None:
        return None
    match event:
        case ReactionRetried(note=note):
            return row.model_copy(update={"state": Retrying(since=now, by=by, note=note)})
        case ReactionDiscarded(note=note):
            return row.model_copy(update={"state": Discarded(since=now, by=by, note=note)})
        case ReactionRecovered():
            return row.model_copy(update={"state": Recovered(since=now)})
        case _:
            return row


def _abandoned(row: DeadLetter | None, recorded: Recorded[Event], event: ReactionAbandoned) -> DeadLetter:
    now = recorded.metadata.time
    return DeadLetter(
        team=recorded.team,
        service=recorded.service,
        reactor=event.reactor,
        event=EventId(event.event),
        sequence=event.sequence,
        type=event.type,
        correlation=recorded.metadata.correlation if row is None else row.correlation,
        abandoned=recorded.sequence if row is None else row.abandoned,
        first_at=now if row is None else row.first_at,
        last_at=now,
        rounds=1 if row is None else row.rounds + 1,
        attempts=event.attempts,
        error=event.error,
        place=event.place,
        state=Open(since=now),
    )


class NotOpenError(Exception):
    """The state of a dead letter does not allow what was decided about it."""

    def __init__(self, status: Status) -> None:
        super().__init__(f"The dead letter is {status}.")
        self.status = status


def decide_retry(letter: DeadLetter, note: NoteId | None = None) -> ReactionRetried:
    """Have it tried again.

    Raises:
        NotOpenError: nobody waits for that: it is being tried, or it is over.
    """
    if not isinstance(letter.state, Open):
        raise NotOpenError(letter.status)
    return ReactionRetried(note=note)


def decide_discard(letter: DeadLetter, note: NoteId) -> ReactionDiscarded:
    """Let it be; also while it is tried again, for its service may be gone for good.

    Raises:
        NotOpenError: it is over already.
    """
    if not letter.unanswered:
        raise NotOpenError(letter.status)
    return ReactionDiscarded(note=note)


DEAD_LETTERS = Projection(
    name="dead_letters",
    version=1,
    row=DeadLetter,
    key=aggregate_key(Aggregate.REACTION),
    evolve=evolve,
    indexes=("team", "status", "unanswered", "correlation"),
    ordered=("abandoned",),
)
"""Every service has this projection: it tells what is not to be done again, and what an operator wants tried."""
