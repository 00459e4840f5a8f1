"""The log on JetStream."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import nats.errors

from windlass_contracts.cloudevent import Proposed, Recorded
from windlass_contracts.event import Event
from windlass_contracts.subjects import ALL_EVENTS, STREAM
from windlass_eventlog.errors import LogUnavailableError
from windlass_eventlog.jetstream.append import Append
from windlass_eventlog.jetstream.connection import Connection
from windlass_eventlog.jetstream.reader import ordered
from windlass_eventlog.log import EventLog, Expected
from windlass_eventlog.message import Message


@dataclass(frozen=True, slots=True)
class JetStreamLog(EventLog):
    """Appends with expected sequences that the server checks; reads by ordered consumers."""

    connection: Connection
    installation: str

    async def append(self, proposed: Proposed[Event], expected: Expected) -> int:
        return await Append(self.connection, Message.of(proposed, self.installation), expected).run()

    async def read(self, after: int, pattern: str = ALL_EVENTS) -> AsyncGenerator[Recorded[Event], None]:
        async with aclosing(ordered(self.connection, after, pattern)) as messages:
            async for sequence, message in messages:
                yield Message(message.subject, message.headers or {}, message.data).recorded(sequence)

    async def head(self) -> int:
        try:
            info = await self.connection.jetstream.stream_info(STREAM)
        except (nats.errors.Error, OSError) as error:
            msg = f"{STREAM} does not say where it ends: {str(error) or type(error).__name__}"
            raise LogUnavailableError(msg) from error
        return int(info.state.last_seq)
