"""The stream AUDIT of JetStream."""

from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import structlog
from pydantic import ValidationError

from windlass_contracts.cloudevent import MESSAGE_ID_HEADER
from windlass_eventlog.audit import Audit, AuditEntry, pattern_of
from windlass_eventlog.jetstream.answered import answered
from windlass_eventlog.jetstream.connection import Connection
from windlass_eventlog.jetstream.stored import Selection, Stored, stored
from windlass_eventlog.topology import AUDIT_STREAM

_WINDOW = 1_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class JetStreamAudit(Audit):
    """Entries as messages; their ids let the server drop what is sent twice."""

    connection: Connection

    async def append(self, entry: AuditEntry) -> None:
        headers = {MESSAGE_ID_HEADER: str(entry.id)}
        body = entry.model_dump_json().encode()
        with answered(AUDIT_STREAM):
            await self.connection.jetstream.publish(entry.subject, body, stream=AUDIT_STREAM, headers=headers)

    async def latest(self, limit: int, *, actor: str | None = None, code: str | None = None) -> Sequence[AuditEntry]:
        """Look back from the end, in windows that double: the server reads forwards alone."""
        with answered(AUDIT_STREAM):
            state = (await self.connection.jetstream.stream_info(AUDIT_STREAM)).state
            found: list[AuditEntry] = []
            end, width = state.last_seq + 1, _WINDOW
            while state.messages and end > state.first_seq and len(found) < limit:
                first = max(state.first_seq, end - width)
                window: deque[AuditEntry] = deque(maxlen=limit - len(found))
                async with aclosing(self._between(pattern_of(actor), first, end)) as entries:
                    async for entry in entries:
                        if entry.answers(actor, code):
                            window.append(entry)
                found.extend(reversed(window))
                end, width = first, width * 2
        return found

    async def _between(self, pattern: str, first: int, end: int) -> AsyncGenerator[AuditEntry, None]:
        async with aclosing(stored(self.connection, Selection(pattern, first, AUDIT_STREAM))) as lists:
            async for messages in lists:
                for message in messages:
                    if message.sequence >= end:
                        return
                    if (entry := _read(message)) is not None:
                        yield entry


def _read(message: Stored) -> AuditEntry | None:
    """Return what a message says; one that a later release wrote is none, and the log of the service says so."""
    try:
        return AuditEntry.model_validate_json(message.data)
    except ValidationError:
        _log.warning("audit.unreadable", stream=AUDIT_STREAM, sequence=message.sequence)
        return None
