"""An event on its way: a CloudEvent 1.0 in structured JSON, as the NATS protocol binding 1.0.2 describes it.

The message's headers repeat what a reader wants before it parses the body: `Nats-Msg-Id` (the event's id), the type,
and the W3C trace context. Source: https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/nats-protocol-binding.md
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from windlass_contracts.errors import ForgedEventError, UnreadableEventError
from windlass_contracts.event import Event, event_class
from windlass_contracts.events import __all__ as _published  # noqa: F401 - importing them registers their types
from windlass_contracts.ids import EventId, ProjectId, TeamId
from windlass_contracts.privacy import PersonalData
from windlass_contracts.subjects import AggregateKey, Service, parse_subject
from windlass_contracts.values import EventType, Moment

MESSAGE_ID_HEADER = "Nats-Msg-Id"
TYPE_HEADER = "Windlass-Type"
ANSWER_HEADER = "Nats-Stream"
"""The server writes it into its answers. What was stored with it is such an answer, sent on to the log by whoever asked
for it: the server looks at no rights of theirs there."""
CONTENT_TYPE = "application/cloudevents+json"
MAX_EVENT_BYTES = 512 * 1024
"""Room for the largest event that the bounds of the fields allow; half of what NATS takes by default."""

EventTime = Moment
"""When the appending service's clock says that it happened. Order is the sequence's to say: clocks differ."""

Actor = Annotated[
    str,
    StringConstraints(
        pattern=r"^(person:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(token|webhook|service):[a-z0-9-]{1,64})$"
    ),
    PersonalData.PSEUDONYM,
]
"""Who caused an event: an opaque id of a person, an API token or a webhook, or the name of a service."""

TraceParent = Annotated[
    str, StringConstraints(pattern=r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"), PersonalData.NONE
]
EventSource = Annotated[str, StringConstraints(pattern=r"^urn:windlass:[0-9a-f]{8}:[a-z]+$"), PersonalData.NONE]
EventSubject = Annotated[str, StringConstraints(pattern=r"^evt(\.[a-z0-9_-]+){5}$"), PersonalData.NONE]

DataT = TypeVar("DataT", bound=Event)
E_co = TypeVar("E_co", bound=Event, covariant=True)


class Envelope(BaseModel, Generic[DataT]):
    """The CloudEvent's attributes around the event. `correlation` is the id of the event that began it all."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    specversion: Literal["1.0"]
    id: EventId
    """The same each time the event is sent: also the message's `Nats-Msg-Id`."""
    source: EventSource
    """Which installation's service appended it: `urn:windlass:<installation>:<service>`."""
    type: EventType
    """What happened, and in which version it is told."""
    subject: EventSubject
    """What it happened to: the message's own subject."""
    time: EventTime
    """By the appending service's clock, between 2020 and 2099; order is the sequence's to say."""
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: TraceParent | None = None
    """The W3C trace context."""
    actor: Actor
    """Who caused it: a person's, an API token's or a webhook's opaque id, or a service."""
    causation: EventId | None = None
    """The id of the event that it follows from."""
    correlation: EventId
    """The id of the event that began it all."""
    data: DataT
    """The event."""


@cache
def envelope_class(kind: type[Event]) -> type[Envelope[Event]]:
    """Return the envelope of one type of event."""
    return Envelope[kind]  # type: ignore[valid-type]  # parametrized at run time, once for each type


@dataclass(slots=True, unsafe_hash=True)
class Metadata:
    """Who, when and because of what: everything about an event but the event.

    Nobody changes one, nor a `Recorded`; they are not frozen because that would double what it costs to make a million
    of them.
    """

    id: EventId
    time: datetime
    actor: str
    correlation: EventId
    causation: EventId | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Proposed(Generic[E_co]):
    """An event that its service wants to append about an aggregate."""

    service: Service
    key: AggregateKey
    event: E_co
    metadata: Metadata


@dataclass(slots=True, unsafe_hash=True)
class Recorded(Generic[E_co]):
    """An event as it stands in the log, at its sequence."""

    sequence: int
    installation: str
    service: Service
    key: AggregateKey
    event: E_co
    metadata: Metadata

    @property
    def team(self) -> TeamId:
        return self.key.team

    @property
    def project(self) -> ProjectId:
        """The project that it is about; what belongs to a team as a whole has none (`key.project` is None).

        Raises:
            LookupError: the event is about no project.
        """
        if self.key.project is None:
            msg = f"A {self.event.TYPE} is about no project."
            raise LookupError(msg)
        return self.key.project


def encode(proposed: Proposed[Event], installation: str) -> tuple[str, dict[str, str], bytes]:
    """Return the subject, headers and body of an event's message.

    It is read once before it leaves: an event that nobody can read would stop every reader for ever.

    Raises:
        ForgedEventError: the service may not append this event, or not about this kind of aggregate.
        UnreadableEventError: the event is too large, or it or its metadata break the rules of their fields.
    """
    event, meta = proposed.event, proposed.metadata
    _check_owner(type(event), proposed.service, proposed.key)
    subject = proposed.key.subject(proposed.service)
    envelope = envelope_class(type(event)).model_construct(
        specversion="1.0",
        id=meta.id,
        source=f"urn:windlass:{installation}:{proposed.service}",
        type=event.TYPE,
        subject=subject,
        time=meta.time,
        traceparent=meta.traceparent,
        actor=meta.actor,
        causation=meta.causation,
        correlation=meta.correlation,
        data=event,
    )
    headers = {MESSAGE_ID_HEADER: str(meta.id), TYPE_HEADER: event.TYPE, "Content-Type": CONTENT_TYPE}
    if meta.traceparent:
        headers["traceparent"] = meta.traceparent
    body = envelope.model_dump_json(exclude_none=True).encode()
    decode(0, subject, headers, body)
    return subject, headers, body


def decode(sequence: int, subject: str, headers: Mapping[str, str], body: bytes) -> Recorded[Event]:
    """Return the event of a message, once everything that it says of itself agrees.

    Raises:
        UnreadableEventError: the body is too large, no CloudEvent, or does not fit its type.
        UnknownEventTypeError: the type or version is not known to this release.
        ForgedEventError: subject, source, type, message id or owner contradict one another, or nobody appended it.
        MalformedSubjectError: the subject is none of the log's.
    """
    service, key = parse_subject(subject)
    if ANSWER_HEADER in headers:
        msg = f"The message on {subject} is an answer of the server that somebody had sent there: nobody appended it."
        raise ForgedEventError(msg)
    kind = event_class(headers.get(TYPE_HEADER, ""))
    _check_owner(kind, service, key)
    envelope = _envelope(sequence, kind, body)
    installation = _agreed_installation(envelope, subject, headers, service)
    metadata = Metadata(
        envelope.id,
        envelope.time,
        envelope.actor,
        envelope.correlation,
        envelope.causation,
        envelope.traceparent,
    )
    return Recorded(sequence, installation, service, key, envelope.data, metadata)


def _envelope(sequence: int, kind: type[Event], body: bytes) -> Envelope[Event]:
    """Read a body strictly, in one pass; ignore the fields that a later release added."""
    if len(body) > MAX_EVENT_BYTES:
        msg = f"The {kind.TYPE} at sequence {sequence} has {len(body)} bytes; the limit is {MAX_EVENT_BYTES}."
        raise UnreadableEventError(msg)
    try:
        return _reader(kind)(body, strict=True, extra="ignore")
    except ValidationError as error:
        msg = f"The event at sequence {sequence} is no {kind.TYPE}: {_where(error)}."
        raise UnreadableEventError(msg) from error


@cache
def _reader(kind: type[Event]) -> Callable[..., Envelope[Event]]:
    """Return what `model_validate_json` of a type's envelope asks; asked directly, it answers sooner."""
    return envelope_class(kind).__pydantic_validator__.validate_json


def _where(error: ValidationError) -> str:
    """Name the fields that do not fit, never their values: those may be anything."""
    return "; ".join(f"{'.'.join(map(str, part['loc']))}: {part['type']}" for part in error.errors()[:5])


def _agreed_installation(envelope: Envelope[Event], subject: str, headers: Mapping[str, str], service: Service) -> str:
    installation, source_service = _parts_of_source(envelope.source)
    if envelope.subject != subject:
        claim = "subject"
    elif source_service != service:
        claim = "source"
    elif headers.get(TYPE_HEADER) != envelope.type:
        claim = "type header"
    elif headers.get(MESSAGE_ID_HEADER) != str(envelope.id):
        claim = "message id"
    else:
        return installation
    msg = f"Event {envelope.id} on {subject}: its {claim} does not agree with the rest of the message."
    raise ForgedEventError(msg)


@lru_cache(maxsize=64)  # an installation has no more sources than services
def _parts_of_source(source: str) -> tuple[str, str]:
    """Return the installation and the service that a well-formed source names."""
    _, _, installation, service = source.split(":")
    return installation, service


def _check_owner(kind: type[Event], service: Service, key: AggregateKey) -> None:
    if service not in kind.APPENDED_BY or key.aggregate is not kind.AGGREGATE:
        msg = f"{kind.TYPE} is not the {service}'s to append about {key.aggregate}."
        raise ForgedEventError(msg)
