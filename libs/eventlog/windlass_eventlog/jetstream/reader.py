"""The stream read in order, without gap or double, across reconnects and restarts of the server."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

import nats.errors
import structlog
from nats.js import api
from nats.js.errors import NotFoundError

from windlass_contracts.subjects import ALL_EVENTS, STREAM
from windlass_eventlog.errors import GapError, NotProvisionedError
from windlass_eventlog.jetstream.connection import Connection
from windlass_eventlog.jetstream.following import followed
from windlass_eventlog.jetstream.stored import Selection, Stored

_TRY_AGAIN_AFTER_S = 0.1
_RESTORE = "Restore the stream from a backup, or rebuild what was read from it."

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Place:
    """How far the stream was read, and which stream that was."""

    position: int
    pattern: str
    created: datetime | None = None

    def check(self, info: api.StreamInfo) -> None:
        """Make sure that the stream is the one that was read, and has what comes next.

        Raises:
            GapError: it is not, or has not.
        """
        state = info.state
        if self.created is not None and info.created != self.created:
            raise GapError(f"{STREAM} was deleted and made anew after sequence {self.position} was read. {_RESTORE}")
        if state.last_seq < self.position:
            raise GapError(f"{STREAM} ends at sequence {state.last_seq}, but {self.position} was read. {_RESTORE}")
        if state.first_seq > self.position + 1:
            raise GapError(f"{STREAM} begins at {state.first_seq}; {self.position + 1} is missing. {_RESTORE}")
        self.created = info.created

    def advance(self, sequence: int) -> None:
        """Take the next sequence; whoever reads all subjects meets every number.

        Raises:
            GapError: it is not the next one.
        """
        if self.pattern == ALL_EVENTS and sequence != self.position + 1:
            raise GapError(f"{STREAM} has no sequence {self.position + 1}; {sequence} follows. {_RESTORE}")
        self.position = sequence


async def ordered(connection: Connection, after: int, pattern: str) -> AsyncGenerator[list[Stored], None]:
    """Yield all messages that match, those that are there at once together, and go on with those still to come.

    Raises:
        GapError, NotProvisionedError, PermissionDeniedError: it cannot go on.
    """
    place = _Place(after, pattern)
    while True:
        try:
            place.check(await _stream_info(connection, place))
            async with aclosing(followed(connection, Selection(pattern, place.position + 1))) as lists:
                async for messages in lists:
                    for message in messages:
                        place.advance(message.sequence)
                    yield messages
        except (nats.errors.Error, OSError) as error:
            _log.info("log.reading_again", after=place.position, pattern=pattern, why=str(error) or repr(error))
            await asyncio.sleep(_TRY_AGAIN_AFTER_S)


async def _stream_info(connection: Connection, place: _Place) -> api.StreamInfo:
    try:
        return await connection.once(lambda: connection.jetstream.stream_info(STREAM))
    except NotFoundError as error:
        if place.created is None:
            msg = f"There is no stream {STREAM}: provision the installation."
            raise NotProvisionedError(msg) from error
        raise GapError(f"{STREAM} was deleted after sequence {place.position} was read. {_RESTORE}") from error
