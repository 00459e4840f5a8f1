"""A bucket watched in order, across reconnects and restarts of the server.

By a reading of our own that only ever goes on: the library's watcher makes a consumer, which no service may, and hands
out everything again after a reconnect.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime

import nats.errors
import structlog
from nats.js.errors import NotFoundError
from nats.js.kv import KV_OP

from windlass_contracts.cloudevent import ANSWER_HEADER
from windlass_eventlog.buckets import Bucket, Change
from windlass_eventlog.errors import NotProvisionedError
from windlass_eventlog.jetstream.connection import Connection
from windlass_eventlog.jetstream.following import followed
from windlass_eventlog.jetstream.stored import Selection, Stored, stored
from windlass_eventlog.topology import WATCHED

_TRY_AGAIN_AFTER_S = 0.1

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Watch:
    """How far a bucket was read, which one that was, and what was told of it."""

    bucket: Bucket
    position: int = 0
    created: datetime | None = None
    told: set[str] = field(default_factory=set)

    @property
    def stream(self) -> str:
        return f"KV_{self.bucket}"

    async def check(self, connection: Connection) -> None:
        """Begin anew where the bucket was made anew.

        Raises:
            NotProvisionedError: there is none.
        """
        try:
            info = await connection.once(lambda: connection.jetstream.stream_info(self.stream))
        except NotFoundError as error:
            msg = f"There is no bucket {self.bucket} any more: provision the installation."
            raise NotProvisionedError(msg) from error
        if self.created != info.created or info.state.last_seq < self.position:
            self.position, self.created = 0, info.created

    def take(self, message: Stored) -> Change | None:
        """Return what a message says; None where it says that something is gone of which nothing was told.

        What the server was made to send there, as an answer to whoever may not write it, is passed over.
        """
        self.position = message.sequence
        if ANSWER_HEADER in message.headers:
            _log.error("bucket.forged", bucket=self.bucket, subject=message.subject, why="no service put that there")
            return None
        key = message.subject.removeprefix(f"$KV.{self.bucket}.")
        if KV_OP not in message.headers:
            self.told.add(key)
            return Change(key, message.data)
        if key not in self.told:
            return None
        self.told.discard(key)
        return Change(key, None)


async def watched(connection: Connection, bucket: Bucket, prefix: str) -> AsyncGenerator[Change, None]:
    """Yield what is there, then what comes; see `KeyValue.watch`.

    Raises:
        NotProvisionedError: the bucket is gone.
        ValueError: it is none that can be watched.
    """
    if bucket not in WATCHED:
        raise ValueError(f"Nobody is told of changes in {bucket}: name it in the topology first.")
    watch, pattern = _Watch(bucket), _pattern(bucket, prefix)
    while True:
        try:
            await watch.check(connection)
            selection = Selection(pattern, watch.position + 1, stream=watch.stream)
            async with aclosing(followed(connection, selection)) as lists:
                async for messages in lists:
                    for message in messages:
                        if (change := watch.take(message)) is not None:
                            yield change
        except (nats.errors.Error, OSError) as error:
            _log.info("bucket.watching_again", bucket=bucket, after=watch.position, why=str(error) or repr(error))
            await asyncio.sleep(_TRY_AGAIN_AFTER_S)


async def present_keys(connection: Connection, bucket: Bucket, prefix: str) -> list[str]:
    """Return the keys that have a value now, as `watched` selects them.

    Raises:
        nats.errors.Error, TimeoutError: the server did not say.
    """
    watch, pattern = _Watch(bucket), _pattern(bucket, prefix)
    async with aclosing(stored(connection, Selection(pattern, stream=watch.stream))) as lists:
        async for messages in lists:
            for message in messages:
                watch.take(message)
    return sorted(watch.told)


def _pattern(bucket: Bucket, prefix: str) -> str:
    return f"$KV.{bucket}.{prefix}{'>' if not prefix or prefix.endswith('.') else ''}"
