"""Lines of deployments on the stream `LOGS` of JetStream."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import NotFoundError

from windlass_contracts.cloudevent import MESSAGE_ID_HEADER
from windlass_contracts.logs import LOG_STREAM, LogBatch
from windlass_eventlog.errors import LogUnavailableError
from windlass_eventlog.logs.codec import decode_batch, encode_batch
from windlass_eventlog.logs.port import Cursor, DeploymentLog, SourceTakenError, behind
from windlass_eventlog.logs.pull import ANSWER_WITHIN_S, Selection, answering, arriving, stored

_TRY_AGAIN_AFTER_S = 0.25


class JetStreamLogStore:
    """Stores batches as messages; their ids let the server drop what is sent twice."""

    def __init__(self, connection: Client) -> None:
        self._connection = connection
        self._jetstream = connection.jetstream(timeout=ANSWER_WITHIN_S)

    async def append(self, log: DeploymentLog, batch: LogBatch) -> None:
        headers = {MESSAGE_ID_HEADER: batch.message_id(log.deployment)}
        with answering():
            receipt = await self._jetstream.publish(
                log.subject, encode_batch(batch), stream=LOG_STREAM, headers=headers
            )
        if receipt.duplicate and await self._at(receipt.seq) != batch:
            raise SourceTakenError(f"Somebody else wrote line {batch.first} of {batch.source}.")

    async def last(self, log: DeploymentLog, source: str, before: int | None = None) -> LogBatch | None:
        sequence = await self._sequence(log, source, before)
        return None if sequence is None else await self._at(sequence)

    async def read(self, log: DeploymentLog, after: Cursor | None = None) -> AsyncGenerator[LogBatch, None]:
        selection = Selection(log.subject, first=await self._start(log, after))
        async with aclosing(stored(self._connection, selection)) as messages:
            async for message in messages:
                if (rest := behind(decode_batch(message.data), after)) is not None:
                    yield rest

    async def follow(self, log: DeploymentLog, after: Cursor | None = None) -> AsyncGenerator[LogBatch, None]:
        seen: dict[str, int] = {} if after is None else {after.source: after.line}
        sequence: int | None = None
        while True:
            try:
                first = await self._start(log, after) if sequence is None else await self._behind(sequence)
                async with aclosing(arriving(self._connection, Selection(log.subject, first))) as messages:
                    async for message in messages:
                        sequence = message.metadata.sequence.stream
                        batch = decode_batch(message.data)
                        last_seen = Cursor(batch.source, seen.get(batch.source, -1))
                        if (rest := behind(batch, last_seen)) is not None:
                            seen[batch.source] = rest.first + len(rest.lines) - 1
                            yield rest
            except LogUnavailableError:
                await asyncio.sleep(_TRY_AGAIN_AFTER_S)

    async def _behind(self, sequence: int) -> int:
        """Return where to go on. A server that was killed may number its next messages like those that it lost."""
        with answering():
            state = (await self._jetstream.stream_info(LOG_STREAM)).state
        return min(sequence, state.last_seq) + 1

    async def _start(self, log: DeploymentLog, after: Cursor | None) -> int:
        if after is None:
            return 1
        return await self._sequence(log, after.source, after.line + 1) or 1

    async def _sequence(self, log: DeploymentLog, source: str, before: int | None) -> int | None:
        """Return where the last batch of a source stands, found by the ids of all messages of the deployment."""
        found = None
        selection = Selection(log.subject, headers_only=True)
        async with aclosing(stored(self._connection, selection)) as messages:
            async for message in messages:
                of_source, first = _identity(message)
                if of_source == source and (before is None or first < before):
                    found = message.metadata.sequence.stream
        return found

    async def _at(self, sequence: int) -> LogBatch | None:
        with answering():
            try:
                message = await self._jetstream.get_msg(LOG_STREAM, sequence, direct=True)
            except NotFoundError:
                return None  # it aged out meanwhile
        return decode_batch(message.data or b"")


def _identity(message: Msg) -> tuple[str, int]:
    """Return source and first line from the id of a batch's message; of any other, what no batch has."""
    _, _, rest = (message.headers or {}).get(MESSAGE_ID_HEADER, "").partition(":")
    source, _, first = rest.rpartition(":")
    return (source, int(first)) if first.isdecimal() else ("", 0)
