"""What becomes of messages on their way into rows: read, passed over by order of an operator, or met as unreadable."""

from collections.abc import Collection, Container, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from windlass_contracts.cloudevent import TYPE_HEADER, Recorded
from windlass_contracts.errors import ContractError, MalformedSubjectError
from windlass_contracts.event import Event, event_class
from windlass_contracts.subjects import Aggregate, AggregateKey, Service, parse_subject
from windlass_eventlog.errors import HaltedError
from windlass_eventlog.message import StoredMessage


@dataclass(frozen=True, slots=True)
class Stop:
    """The event that cannot be read or applied, the type that its header claims, and why."""

    sequence: int
    kind: str
    error: Exception

    def told(self, service: Service) -> HaltedError:
        """Return the error that says what happened, why, and what to do."""
        return HaltedError(service, self.sequence, self.error, self.kind)


@dataclass(frozen=True, slots=True)
class Reading:
    """The events of some messages, up to the sequence `end`; `stop` says why it ends there, if not by itself.

    `passed` are those that an operator lets be passed over: what they are about, and where they stand.
    """

    events: Sequence[Recorded[Event]]
    end: int
    stop: Stop | None = None
    passed: Sequence[tuple[AggregateKey, int]] = ()


def read(
    messages: Sequence[StoredMessage], quarantined: Container[int], about: Collection[Aggregate] | None
) -> Reading:
    """Read messages up to the first that cannot be read.

    Of those about something else than `about` (None: anything) only the type is read: it has to be known.
    """
    events = []
    passed: list[tuple[AggregateKey, int]] = []
    for message in messages:
        if message.sequence in quarantined:
            passed += _passed(message)
            continue
        kind = message.headers.get(TYPE_HEADER, "")
        try:
            if about is None or event_class(kind).AGGREGATE in about:
                events.append(message.recorded())
        except ContractError as error:
            return Reading(events, message.sequence - 1, Stop(message.sequence, kind, error), passed)
    return Reading(events, messages[-1].sequence, passed=passed)


def _passed(message: StoredMessage) -> Iterator[tuple[AggregateKey, int]]:
    """Yield what a message is about, where its subject says so, whatever else can be read of it."""
    with suppress(MalformedSubjectError):
        _, key = parse_subject(message.subject)
        yield key, message.sequence
