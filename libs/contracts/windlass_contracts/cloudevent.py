"""An event on its way: a CloudEvent 1.0 in structured JSON, as the NATS protocol binding 1.0.2 describes it.

The message's headers repeat what a reader wants before it parses the body: `Nats-Msg-Id` (the event's id), the type,
and the W3C trace context. Source: https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/nats-protocol-binding.md
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, ValidationError

from windlass_contracts.errors import ForgedEventError, UnreadableEventError
from windlass_contracts.event import Event, event_class
from windlass_contracts.events import __all__ as _published  # noqa: F401 - importing them registers their types
from windlass_contracts.ids import EventId, ProjectId, TeamId
from windlass_contracts.privacy import PersonalData
from windlass_contracts.subjects import AggregateKey, Service, parse_subject

MESSAGE_ID_HEADER = "Nats-Msg-Id"
TYPE_HEADER = "Windlass-Type"
CONTENT_TYPE = "application/cloudevents+json"
MAX_EVENT_BYTES = 256 * 1024

Actor = Annotated[
    str,
    StringConstraints(pattern=r"^(person|token|webhook|service):[a-z0-9-]{1,64}$"),
    PersonalData.PSEUDONYM,
]
"""Who caused an event: an opaque id of a person, an API token or a webhook, or the name of a service."""

TraceParent = Annotated[
    str, StringConstraints(pattern=r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"), PersonalData.NONE
]
EventSource = Annotated[str, StringConstraints(pattern=r"^urn:windlass:[0-9a-f]{8}:[a-z]+$"), PersonalData.NONE]
EventSubject = Annotated[str, StringConstraints(pattern=r"^evt(\.[a-z0-9_-]+){5}$"), PersonalData.NONE]

E_co = TypeVar("E_co", bound=Event, covariant=True)


class Envelope(BaseModel):
    """The CloudEvent's attributes around the event. `correlation` is the id of the event that began it all."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: EventSource
    type: Annotated[str, StringConstraints(pattern=r"^[a-z]+(\.[a-z-]+)+\.v[1-9][0-9]*$"), PersonalData.NONE]
    subject: EventSubject
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: TraceParent | None = None
    actor: Actor
    causation: UUID | None = None
    correlation: UUID
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Metadata:
    """Who, when and because of what: everything about an event but the event."""

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


@dataclass(frozen=True, slots=True)
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
        return self.key.project


def encode(proposed: Proposed[Event], installation: str) -> tuple[str, dict[str, str], bytes]:
    """Return the subject, headers and body of an event's message.

    Raises:
        ForgedEventError: the service may not append this event, or not about this kind of aggregate.
    """
    event, meta = proposed.event, proposed.metadata
    _check_owner(type(event), proposed.service, proposed.key)
    envelope = Envelope(
        id=meta.id,
        source=f"urn:windlass:{installation}:{proposed.service}",
        type=event.TYPE,
        subject=proposed.key.subject(proposed.service),
        time=meta.time,
        traceparent=meta.traceparent,
        actor=meta.actor,
        causation=meta.causation,
        correlation=meta.correlation,
        data=event.model_dump(mode="json"),
    )
    headers = {MESSAGE_ID_HEADER: str(meta.id), TYPE_HEADER: event.TYPE, "Content-Type": CONTENT_TYPE}
    if meta.traceparent:
        headers["traceparent"] = meta.traceparent
    return envelope.subject, headers, envelope.model_dump_json(exclude_none=True).encode()


def decode(sequence: int, subject: str, headers: Mapping[str, str], body: bytes) -> Recorded[Event]:
    """Return the event of a message, once everything that it says of itself agrees.

    Raises:
        UnreadableEventError: the body is too large, no CloudEvent, or does not fit its type.
        UnknownEventTypeError: the type or version is not known to this release.
        ForgedEventError: subject, source, type, message id or owner contradict one another.
        MalformedSubjectError: the subject is none of the log's.
    """
    envelope = _envelope(sequence, body)
    service, key = parse_subject(subject)
    installation = _agreed_installation(envelope, subject, headers, service)
    kind = event_class(envelope.type)
    _check_owner(kind, service, key)
    try:
        event = kind.model_validate(envelope.data)
    except ValidationError as error:
        msg = f"Event {envelope.id} at sequence {sequence} is no {envelope.type}: {_where(error)}."
        raise UnreadableEventError(msg) from error
    metadata = Metadata(
        id=EventId(envelope.id),
        time=envelope.time,
        actor=envelope.actor,
        correlation=EventId(envelope.correlation),
        causation=None if envelope.causation is None else EventId(envelope.causation),
        traceparent=envelope.traceparent,
    )
    return Recorded(sequence, installation, service, key, event, metadata)


def _envelope(sequence: int, body: bytes) -> Envelope:
    if len(body) > MAX_EVENT_BYTES:
        msg = f"The event at sequence {sequence} has {len(body)} bytes; the limit is {MAX_EVENT_BYTES}."
        raise UnreadableEventError(msg)
    try:
        return Envelope.model_validate(json.loads(body))
    except (ValidationError, ValueError, RecursionError) as error:
        why = _where(error) if isinstance(error, ValidationError) else "it is not JSON"
        msg = f"The event at sequence {sequence} is no CloudEvent: {why}."
        raise UnreadableEventError(msg) from error


def _where(error: ValidationError) -> str:
    """Name the fields that do not fit, never their values: those may be anything."""
    return "; ".join(f"{'.'.join(map(str, part['loc']))}: {part['type']}" for part in error.errors()[:5])


def _agreed_installation(envelope: Envelope, subject: str, headers: Mapping[str, str], service: Service) -> str:
    _, _, installation, source_service = envelope.source.split(":")
    claims = {
        "subject": (envelope.subject, subject),
        "source": (source_service, service),
        "type header": (headers.get(TYPE_HEADER), envelope.type),
        "message id": (headers.get(MESSAGE_ID_HEADER), str(envelope.id)),
    }
    for claim, (said, true) in claims.items():
        if said != true:
            msg = f"Event {envelope.id} on {subject}: its {claim} does not agree with the rest of the message."
            raise ForgedEventError(msg)
    return installation


def _check_owner(kind: type[Event], service: Service, key: AggregateKey) -> None:
    if service not in kind.APPENDED_BY or key.aggregate is not kind.AGGREGATE:
        msg = f"{kind.TYPE} is not the {service}'s to append about {key.aggregate}."
        raise ForgedEventError(msg)
