"""The log in memory: what was appended, as the messages that JetStream would keep."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from windlass_contracts.cloudevent import Proposed, Recorded
from windlass_contracts.event import Event
from windlass_contracts.subjects import ALL_EVENTS, STREAM
from windlass_eventlog.errors import ConflictError, GapError
from windlass_eventlog.log import EventLog, Expected
from windlass_eventlog.message import Message, StoredMessage, Stretch
from windlass_eventlog.patterns import matches

_AT_ONCE = 500


@dataclass(slots=True)
class MemoryLog(EventLog):
    """Deterministic: nothing in it depends on time or chance."""

    installation: str = "00000000"
    made: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    _messages: list[Message] = field(default_factory=list)
    _sequences: dict[str, int] = field(default_factory=dict)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def append(self, proposed: Proposed[Event], expected: Expected) -> int:
        message = Message.of(proposed, self.installation)
        async with self._changed:
            if (known := self._sequences.get(message.id)) is not None:
                return known
            last = self._last(expected.scope)
            if last != expected.sequence:
                raise ConflictError(expected.scope, expected.sequence, last)
            self._messages.append(message)
            self._sequences[message.id] = len(self._messages)
            self._changed.notify_all()
            return len(self._messages)

    async def read(self, after: int, pattern: str = ALL_EVENTS) -> AsyncGenerator[Recorded[Event], None]:
        self._check_reaches(after)
        sequence = after
        while True:
            await self.grown_past(sequence)
            sequence += 1
            if matches(pattern, self._messages[sequence - 1].subject):
                yield self.at(sequence)

    async def stretches(self, after: int) -> AsyncGenerator[Stretch, None]:
        self._check_reaches(after)
        while True:
            await self.grown_past(after)
            first, after = after + 1, min(len(self._messages), after + _AT_ONCE)
            yield Stretch([self.stored(sequence) for sequence in range(first, after + 1)], len(self._messages) - after)

    async def message(self, sequence: int) -> StoredMessage:
        if not 0 < sequence <= len(self._messages):
            msg = f"The stream {STREAM} has nothing at sequence {sequence}."
            raise GapError(msg)
        return self.stored(sequence)

    async def head(self) -> int:
        return len(self._messages)

    async def created(self) -> datetime:
        return self.made

    @property
    def length(self) -> int:
        """The sequence of the last event, for those who cannot wait."""
        return len(self._messages)

    def at(self, sequence: int) -> Recorded[Event]:
        """Return the event at a sequence from 1 to `length`."""
        return self.stored(sequence).recorded()

    def stored(self, sequence: int) -> StoredMessage:
        """Return the message at a sequence from 1 to `length`."""
        message = self._messages[sequence - 1]
        return StoredMessage(sequence, self.made, message.subject, message.headers, message.body)

    async def grown_past(self, sequence: int) -> None:
        """Wait until there is an event behind `sequence`."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._messages) > sequence)

    def _check_reaches(self, sequence: int) -> None:
        if sequence > len(self._messages):
            msg = f"The stream {STREAM} ends at {len(self._messages)}, before sequence {sequence}."
            raise GapError(msg)

    def _last(self, scope: str) -> int:
        for sequence in range(len(self._messages), 0, -1):
            if matches(scope, self._messages[sequence - 1].subject):
                return sequence
        return 0
