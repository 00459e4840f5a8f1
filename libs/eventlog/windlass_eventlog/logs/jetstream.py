"""Lines on a stream of JetStream: those of deployments on `LOGS`, those of commands on `TERMINALS`."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog
from nats.js.errors import NotFoundError

from windlass_contracts.cloudevent import MESSAGE_ID_HEADER
from windlass_contracts.logs import LOG_STREAM, LogBatch
from windlass_eventlog.errors import LogUnavailableError
from windlass_eventlog.jetstream.answered import answered
from windlass_eventlog.jetstream.connection import Connection
from windlass_eventlog.jetstream.following import followed
from windlass_eventlog.jetstream.stored import Selection, Stored, stored
from windlass_eventlog.logs.codec import decode_batch, encode_batch
from windlass_eventlog.logs.port import Cursor, Lines, LogStore, SourceTakenError, behind
from windlass_eventlog.logs.share import Shares

_TRY_AGAIN_AFTER_S = 0.1

_log = structlog.get_logger(__name__)


class JetStreamLogStore(LogStore):
    """Stores batches as messages; their ids let the server drop what is sent twice.

    Where `most` is said, nobody's lines keep more than so many bytes: the oldest go. That needs the right to purge.
    """

    def __init__(self, connection: Connection, stream: str = LOG_STREAM, most: int | None = None) -> None:
        self._connection = connection
        self._stream = stream
        self._shares = None if most is None else Shares(most)

    async def append(self, log: Lines, batch: LogBatch) -> None:
        headers = {MESSAGE_ID_HEADER: batch.message_id(log.owner)}
        body = encode_batch(batch)
        with answered(self._stream):
            receipt = await self._connection.jetstream.publish(log.subject, body, stream=self._stream, headers=headers)
        if receipt.duplicate and await self._at(receipt.seq) != batch:
            raise SourceTakenError(f"Somebody else wrote line {batch.first} of {batch.source}.")
        if self._shares is not None and (first := self._shares.stored(log.subject, receipt.seq, len(body))) is not None:
            with answered(self._stream):
                await self._connection.jetstream.purge_stream(self._stream, seq=first, subject=log.subject)

    async def last(self, log: Lines, source: str, before: int | None = None) -> LogBatch | None:
        sequence = await self._sequence(log, source, before)
        return None if sequence is None else await self._at(sequence)

    async def read(self, log: Lines, after: Cursor | None = None) -> AsyncGenerator[LogBatch, None]:
        async with aclosing(self._stored(log, await self._start(log, after))) as messages:
            async for message in messages:
                if (rest := behind(decode_batch(message.data), after)) is not None:
                    yield rest

    async def follow(self, log: Lines, after: Cursor | None = None) -> AsyncGenerator[LogBatch, None]:
        seen: dict[str, int] = {} if after is None else {after.source: after.line}
        sequence: int | None = None
        while True:
            try:
                first = await self._start(log, after) if sequence is None else await self._behind(sequence)
                async with aclosing(self._followed(Selection(log.subject, first, self._stream))) as messages:
                    async for message in messages:
                        sequence = message.sequence
                        if (fresh := _fresh(decode_batch(message.data), seen)) is not None:
                            yield fresh
            except LogUnavailableError as error:
                _log.info("logs.following_again", of=str(log.owner), why=str(error))
                await asyncio.sleep(_TRY_AGAIN_AFTER_S)

    async def _followed(self, selection: Selection) -> AsyncGenerator[Stored, None]:
        with answered(self._stream):
            async with aclosing(followed(self._connection, selection)) as lists:
                async for messages in lists:
                    for message in messages:
                        yield message

    async def _stored(self, log: Lines, first: int) -> AsyncGenerator[Stored, None]:
        """Yield the messages that are there by now."""
        with answered(self._stream):
            async with aclosing(stored(self._connection, Selection(log.subject, first, self._stream))) as lists:
                async for messages in lists:
                    for message in messages:
                        yield message

    async def _behind(self, sequence: int) -> int:
        """Return where to go on. A server that was killed may number its next messages like those that it lost."""
        with answered(self._stream):
            state = (await self._connection.jetstream.stream_info(self._stream)).state
        return min(sequence, state.last_seq) + 1

    async def _start(self, log: Lines, after: Cursor | None) -> int:
        if after is None:
            return 1
        return await self._sequence(log, after.source, after.line + 1) or 1

    async def _sequence(self, log: Lines, source: str, before: int | None) -> int | None:
        """Return where the last batch of a source stands, found by the ids of all messages of the deployment."""
        found = None
        async with aclosing(self._stored(log, 1)) as messages:
            async for message in messages:
                of_source, first = _identity(message)
                if of_source == source and (before is None or first < before):
                    found = message.sequence
        return found

    async def _at(self, sequence: int) -> LogBatch | None:
        with answered(self._stream):
            try:
                message = await self._connection.jetstream.get_msg(self._stream, sequence, direct=True)
            except NotFoundError:
                return None  # it aged out meanwhile
        return decode_batch(message.data or b"")


def _fresh(batch: LogBatch, seen: dict[str, int]) -> LogBatch | None:
    """Return what of a batch was not seen yet, and note that it is now."""
    fresh = behind(batch, Cursor(batch.source, seen.get(batch.source, -1)))
    if fresh is not None:
        seen[batch.source] = fresh.first + len(fresh.lines) - 1
    return fresh


def _identity(message: Stored) -> tuple[str, int]:
    """Return source and first line from the id of a batch's message; of any other, what no batch has."""
    _, _, rest = message.headers.get(MESSAGE_ID_HEADER, "").partition(":")
    source, _, first = rest.rpartition(":")
    return (source, int(first)) if first.isdecimal() else ("", 0)
