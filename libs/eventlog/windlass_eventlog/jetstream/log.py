"""The log on JetStream."""

from collections.abc import AsyncGenerator, Container
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime

from nats.js.api import StreamInfo
from nats.js.errors import NotFoundError

from windlass_contracts.cloudevent import Proposed, Recorded
from windlass_contracts.event import Event
from windlass_contracts.subjects import ALL_EVENTS, STREAM
from windlass_eventlog.errors import GapError, NotProvisionedError
from windlass_eventlog.failpoints import reach
from windlass_eventlog.jetstream.append import Append
from windlass_eventlog.jetstream.connection import Connection
from windlass_eventlog.jetstream.lookup import stored_at
from windlass_eventlog.jetstream.reader import ordered
from windlass_eventlog.jetstream.stored import Stored
from windlass_eventlog.log import EventLog, Expected
from windlass_eventlog.message import Message, StoredMessage, Stretch


@dataclass(frozen=True, slots=True)
class JetStreamLog(EventLog):
    """Appends with expected sequences that the server checks; reads in order, without consumers.

    An event that is appended again is recognised for ever where its condition does not hold any more, and for two
    minutes (the stream's duplicate window) where another condition holds: decide from rows before appending again.
    """

    connection: Connection
    installation: str
    quarantined: Container[int] = frozenset()
    """What `read` passes over, by order of an operator; `stretches` has it nevertheless."""

    async def append(self, proposed: Proposed[Event], expected: Expected) -> int:
        kind = proposed.event.TYPE
        reach("before_append", kind)
        sequence = await Append(self.connection, Message.of(proposed, self.installation), expected).run()
        reach("after_append", kind, sequence)
        return sequence

    async def read(self, after: int, pattern: str = ALL_EVENTS) -> AsyncGenerator[Recorded[Event], None]:
        async with aclosing(ordered(self.connection, after, pattern)) as lists:
            async for messages in lists:
                for message in messages:
                    if message.sequence not in self.quarantined:
                        yield _stored(message).recorded()

    async def stretches(self, after: int) -> AsyncGenerator[Stretch, None]:
        async with aclosing(ordered(self.connection, after, ALL_EVENTS)) as lists:
            async for messages in lists:
                yield Stretch([_stored(message) for message in messages], messages[-1].to_come)

    async def message(self, sequence: int) -> StoredMessage:
        found = await self.connection.ask(
            lambda: stored_at(self.connection, sequence), f"what stands at sequence {sequence} of {STREAM}?"
        )
        if found is None:
            msg = f"The stream {STREAM} has nothing at sequence {sequence}."
            raise GapError(msg)
        return _stored(found)

    async def head(self) -> int:
        return int((await self._info(f"where does {STREAM} end?")).state.last_seq)

    async def created(self) -> datetime:
        created = (await self._info(f"when was {STREAM} made?")).created
        if created is None:
            msg = f"The server does not say when {STREAM} was made."
            raise NotProvisionedError(msg)
        return created.astimezone(UTC)

    async def _info(self, what: str) -> StreamInfo:
        stream_info = self.connection.jetstream.stream_info
        try:
            return await self.connection.ask(lambda: stream_info(STREAM), what)
        except NotFoundError as error:
            msg = f"There is no stream {STREAM}: provision the installation."
            raise NotProvisionedError(msg) from error


def _stored(message: Stored) -> StoredMessage:
    return StoredMessage(
        message.sequence, datetime.fromisoformat(message.time), message.subject, message.headers, message.data
    )
