"""How a service appends: the metadata is filled in, so that a handler says only what happened and after what."""

from dataclasses import dataclass

from windlass_contracts.cloudevent import Metadata, Proposed, Recorded
from windlass_contracts.event import Event
from windlass_contracts.ids import EventId, caused_event_id
from windlass_contracts.subjects import AggregateKey, Service
from windlass_eventlog.clock import Clock
from windlass_eventlog.log import EventLog, Expected


@dataclass(frozen=True, slots=True)
class Appender:
    """Appends one service's events."""

    log: EventLog
    service: Service
    clock: Clock

    async def caused(self, cause: Recorded[Event], key: AggregateKey, event: Event, after: int, step: str = "") -> int:
        """Append what the service did because of `cause`, as long as the aggregate still ends at `after`.

        The id follows from cause, type and `step`: deciding the same again, after a crash, is the same event.

        Raises:
            ConflictError: somebody else wrote about the aggregate; the caller's wake-up is handled again by the rows
                as they are then.
            LogUnavailableError, LogFullError, PermissionDeniedError: as `EventLog.append`.
        """
        metadata = Metadata(
            id=caused_event_id(cause.metadata.id, event.TYPE, step),
            time=self.clock(),
            actor=f"service:{self.service}",
            correlation=cause.metadata.correlation,
            causation=cause.metadata.id,
            traceparent=cause.metadata.traceparent,
        )
        return await self.log.append(Proposed(self.service, key, event, metadata), Expected.at(key, after))

    async def commanded(  # noqa: PLR0913 - each says another thing about the event, most of them by keyword
        self,
        key: AggregateKey,
        event: Event,
        expected: Expected,
        *,
        actor: str,
        id: EventId,  # noqa: A002 - the name that CloudEvents gives it
        correlation: EventId | None = None,
        traceparent: str | None = None,
    ) -> int:
        """Append what somebody outside the log asked for; the same `id` again is the same event.

        Raises:
            ConflictError, LogUnavailableError, LogFullError, PermissionDeniedError: as `EventLog.append`.
        """
        metadata = Metadata(
            id=id,
            time=self.clock(),
            actor=actor,
            correlation=id if correlation is None else correlation,
            traceparent=traceparent,
        )
        return await self.log.append(Proposed(self.service, key, event, metadata), expected)
