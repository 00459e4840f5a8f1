"""Reactions to an event that a service gave up: dead letters. An operator has them tried again, or discards them."""

from typing import ClassVar
from uuid import UUID

from windlass_contracts.event import Event
from windlass_contracts.ids import NoteId
from windlass_contracts.subjects import Aggregate, Service
from windlass_contracts.values import CodePlace, ErrorName, EventType, Ordinal, Sequence, Token

_EVERYBODY = frozenset(Service)


class ReactionAbandoned(Event):
    """A service failed on a wake-up as often as it tries; nothing more happens about it until somebody decides.

    What the error said is in the service's own log: it may quote anything, and the log of events keeps it for ever.
    """

    TYPE: ClassVar = "reaction.abandoned.v1"
    AGGREGATE: ClassVar = Aggregate.REACTION
    APPENDED_BY: ClassVar = _EVERYBODY

    reactor: Token
    """Which of the service's reactors."""
    sequence: Sequence
    """The sequence of the event that woke it up."""
    event: UUID
    """The id of that event."""
    type: EventType
    """The type of that event."""
    attempts: Ordinal
    """How often it was tried, since the wake-up or the last retry."""
    error: ErrorName
    """The class of the last error."""
    place: CodePlace | None = None
    """Where in the code the last error was raised."""
    note: NoteId | None = None
    """What the error said, where that is kept."""


class ReactionRetried(Event):
    """Somebody mended what was wrong, and lets the reaction be tried again."""

    TYPE: ClassVar = "reaction.retried.v1"
    AGGREGATE: ClassVar = Aggregate.REACTION
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    note: NoteId | None = None
    """Why."""


class ReactionDiscarded(Event):
    """Somebody decided that the reaction is not needed any more."""

    TYPE: ClassVar = "reaction.discarded.v1"
    AGGREGATE: ClassVar = Aggregate.REACTION
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    note: NoteId
    """Why."""


class ReactionRecovered(Event):
    """A reaction that had been given up succeeded after all."""

    TYPE: ClassVar = "reaction.recovered.v1"
    AGGREGATE: ClassVar = Aggregate.REACTION
    APPENDED_BY: ClassVar = _EVERYBODY
