"""What becomes of messages on their way into rows: read, passed over by order of an operator, or met as unreadable."""

from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass

from windlass_contracts.cloudevent import TYPE_HEADER, Recorded
from windlass_contracts.errors import ContractError
from windlass_contracts.event import Event, event_class
from windlass_contracts.subjects import Aggregate, Service
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
    """The events of some messages, up to the sequence `end`; `stop` says why it ends there, if not by itself."""

    events: Sequence[Recorded[Event]]
    end: int
    stop: Stop | None = None


def read(
    messages: Sequence[StoredMessage], quarantined: Container[int], about: Collection[Aggregate] | None
) -> Reading:
    """Read messages up to the first that cannot be read.

    Of those about something else than `about` (None: anything) only the type is read: it has to be known.
    """
    events = []
    for message in messages:
        if message.sequence in quarantined:
            continue
        kind = message.headers.get(TYPE_HEADER, "")
        try:
            if about is None or event_class(kind).AGGREGATE in about:
                events.append(message.recorded())
        except ContractError as error:
            return Reading(events, message.sequence - 1, Stop(message.sequence, kind, error))
    return Reading(events, messages[-1].sequence)
