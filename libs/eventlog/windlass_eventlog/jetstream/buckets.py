"""Key-value buckets of JetStream."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Self

from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError, NotFoundError
from nats.js.kv import KV_OP
from nats.js.kv import KeyValue as NatsKeyValue

from windlass_eventlog.buckets import Bucket, Change, Entry, KeyValue
from windlass_eventlog.errors import KeyChangedError, KeyTakenError, LogUnavailableError, NotProvisionedError
from windlass_eventlog.jetstream.answered import answered
from windlass_eventlog.jetstream.connection import Connection
from windlass_eventlog.jetstream.watch import present_keys, watched


@dataclass(frozen=True, slots=True)
class JetStreamKeyValue(KeyValue):
    """One bucket. Its history is one value long, and a delete purges: nothing is left but a mark."""

    name: Bucket
    store: NatsKeyValue
    connection: Connection

    @classmethod
    async def opened(cls, connection: Connection, name: Bucket) -> Self:
        """Open a bucket.

        Raises:
            NotProvisionedError: there is none.
        """
        with answered(name):
            try:
                return cls(name, await connection.jetstream.key_value(name), connection)
            except NotFoundError as error:
                msg = f"There is no bucket {name}: provision the installation."
                raise NotProvisionedError(msg) from error

    async def create(self, key: str, value: bytes) -> int:
        with answered(self.name):
            try:
                return await self.store.create(key, value)
            except KeyWrongLastSequenceError as error:
                msg = f"{self.name} has a value under {key} already."
                raise KeyTakenError(msg) from error

    async def put(self, key: str, value: bytes) -> None:
        with answered(self.name):
            await self.store.put(key, value)

    async def get(self, key: str) -> bytes | None:
        with answered(self.name):
            try:
                return (await self.store.get(key)).value or b""
            except KeyNotFoundError:
                return None

    async def entry(self, key: str) -> Entry | None:
        """Ask the stream's leader: a direct get could be answered by a replica that lags behind."""
        with answered(self.name):
            try:
                found = await self.connection.jetstream.get_msg(f"KV_{self.name}", subject=f"$KV.{self.name}.{key}")
            except NotFoundError:
                return None
        if KV_OP in (found.headers or {}):  # the mark of a deleted value
            return None
        if found.seq is None or found.time is None:
            msg = f"NATS answered about {self.name} without a revision or a time."
            raise LogUnavailableError(msg)
        return Entry(found.data or b"", found.seq, found.time)

    async def update(self, key: str, value: bytes, revision: int) -> int:
        with answered(self.name):
            try:
                return await self.store.update(key, value, revision)
            except KeyWrongLastSequenceError as error:
                msg = f"The value under {key} in {self.name} is not revision {revision} any more."
                raise KeyChangedError(msg) from error

    async def delete(self, key: str) -> None:
        with answered(self.name):
            await self.store.purge(key)

    async def keys(self, prefix: str = "") -> AsyncGenerator[str, None]:
        with answered(self.name):
            found = await present_keys(self.connection, self.name, prefix)
        for key in found:
            yield key

    async def watch(self, prefix: str = "") -> AsyncGenerator[Change, None]:
        async with aclosing(watched(self.connection, self.name, prefix)) as changes:
            async for change in changes:
                yield change
