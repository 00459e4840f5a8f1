"""The object store of JetStream, in the layout of NATS ADR-20: pieces under a random id, and what they are by key.

The library's own client reads by making consumers and deletes by purging the stream, either of which would let a
service do far more than that. Here it is direct gets, and rollups: a message that replaces all under its subject.
"""

import base64
import hashlib
import json
import secrets
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from nats.js.errors import APIError, NotFoundError

from windlass_eventlog.buckets import Objects, StoredObject
from windlass_eventlog.errors import NotProvisionedError, StoreFullError
from windlass_eventlog.jetstream.answered import answered
from windlass_eventlog.jetstream.connection import Connection
from windlass_eventlog.jetstream.stored import Selection, stored
from windlass_eventlog.topology import OBJECTS, OBJECTS_RESERVE

_PIECE_BYTES = 128 * 1024
_LOOK_EVERY = 8
"""So many pieces are put without a look at the room that is left: others put theirs meanwhile."""
_OUT_OF_STORAGE = frozenset({10023, 10047, 10077})
_STREAM = f"OBJ_{OBJECTS}"
_ROLLUP = {"Nats-Rollup": "sub"}


@dataclass(frozen=True, slots=True)
class JetStreamObjects(Objects):
    """The object store."""

    connection: Connection

    @classmethod
    async def opened(cls, connection: Connection) -> Self:
        """Open the store.

        Raises:
            NotProvisionedError: there is none.
        """
        with answered(OBJECTS):
            try:
                await connection.jetstream.stream_info(_STREAM)
            except NotFoundError as error:
                msg = f"There is no object store {OBJECTS}: provision the installation."
                raise NotProvisionedError(msg) from error
        return cls(connection)

    async def put(self, key: str, content: AsyncIterator[bytes]) -> None:
        before, place = await self._about(key), secrets.token_hex(12)
        digest, size, count = hashlib.sha256(), 0, 0
        try:
            async for piece in _pieces(content):
                if count % _LOOK_EVERY == 0:
                    await self._make_sure_of_room(len(piece))
                digest.update(piece)
                size, count = size + len(piece), count + 1
                await self._put(place, piece)
            encoded = base64.urlsafe_b64encode(digest.digest()).decode()
            await self._tell(key, nuid=place, size=size, chunks=count, digest=f"SHA-256={encoded}")
        except BaseException:
            await self._empty(place)
            raise
        if before is not None:
            await self._empty(before["nuid"])

    async def room(self) -> int:
        with answered(OBJECTS):
            told = await self.connection.jetstream.stream_info(_STREAM)
        budget = told.config.max_bytes or -1
        return max(0, budget - budget // OBJECTS_RESERVE - told.state.bytes) if budget > 0 else sys.maxsize

    async def get(self, key: str) -> AsyncGenerator[bytes, None]:
        about = await self._about(key)
        if about is None:
            raise KeyError(key)
        if not about["size"]:
            return
        with answered(OBJECTS):
            selection = Selection(_pieces_of(about["nuid"]), stream=_STREAM)
            async with aclosing(stored(self.connection, selection)) as lists:
                async for messages in lists:
                    for message in messages:
                        yield message.data

    async def size(self, key: str) -> int | None:
        about = await self._about(key)
        return None if about is None else int(about["size"])

    async def delete(self, key: str) -> None:
        about = await self._about(key)
        if about is not None:
            await self._tell(key, nuid=about["nuid"], size=0, chunks=0, deleted=True)
            await self._empty(about["nuid"])

    async def all(self, prefix: str = "") -> AsyncGenerator[StoredObject, None]:
        for about, time in await self._listed():
            if str(about["name"]).startswith(prefix):
                yield StoredObject(about["name"], int(about["size"]), time)

    async def clear_pieces(self, before: datetime) -> int:
        with answered(OBJECTS):
            told = await self.connection.jetstream.stream_info(_STREAM, subjects_filter=_pieces_of("*"))
        places = {subject.rpartition(".")[2] for subject in told.state.subjects or ()}
        cleared = 0
        for place in places - {about["nuid"] for about, _ in await self._listed()}:
            if await self._is_left(place, before):
                await self._empty(place)
                cleared += 1
        return cleared

    async def _is_left(self, place: str, before: datetime) -> bool:
        """Tell whether pieces were put there that nothing tells of; a mark is no piece."""
        with answered(OBJECTS):
            selection = Selection(_pieces_of(place), stream=_STREAM, at_once=1)
            async with aclosing(stored(self.connection, selection)) as lists:
                async for messages in lists:
                    return bool(messages[0].data) and datetime.fromisoformat(messages[0].time) < before
        return False

    async def _listed(self) -> list[tuple[dict[str, Any], datetime]]:
        """Return what is known of all objects that are there, with when they were whole."""
        with answered(OBJECTS):
            selection = Selection(f"$O.{OBJECTS}.M.*", stream=_STREAM)
            async with aclosing(stored(self.connection, selection)) as lists:
                told = [
                    (json.loads(one.data), datetime.fromisoformat(one.time))
                    async for messages in lists
                    for one in messages
                ]
        return [(about, time) for about, time in told if not about.get("deleted")]

    async def _about(self, key: str) -> dict[str, Any] | None:
        """Return what is known of the object; None where there is none (any more)."""
        with answered(OBJECTS):
            async with aclosing(stored(self.connection, Selection(_about(key), stream=_STREAM))) as lists:
                told = [json.loads(message.data) async for messages in lists for message in messages]
        return dict(told[-1]) if told and not told[-1].get("deleted") else None

    async def _tell(self, key: str, **about: object) -> None:
        document = json.dumps({"name": key, "bucket": OBJECTS, **about}).encode()
        with answered(OBJECTS):
            await self.connection.jetstream.publish(_about(key), document, headers=_ROLLUP)

    async def _make_sure_of_room(self, size: int) -> None:
        if await self.room() < size:
            raise _full()

    async def _put(self, place: str, piece: bytes) -> None:
        with answered(OBJECTS):
            try:
                await self.connection.jetstream.publish(_pieces_of(place), piece)
            except APIError as error:
                if error.err_code in _OUT_OF_STORAGE:
                    raise _full() from error
                raise

    async def _empty(self, place: str) -> None:
        """Leave nothing of the pieces but a mark."""
        with answered(OBJECTS):
            await self.connection.jetstream.publish(_pieces_of(place), b"", headers=_ROLLUP)


def _full() -> StoreFullError:
    return StoreFullError(f"The object store {OBJECTS} has no room for it: nothing of it was kept.")


def _pieces_of(place: str) -> str:
    return f"$O.{OBJECTS}.C.{place}"


def _about(key: str) -> str:
    return f"$O.{OBJECTS}.M.{base64.urlsafe_b64encode(key.encode()).decode()}"


async def _pieces(content: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield the same in pieces of one size, the last one smaller."""
    held = bytearray()
    async for part in content:
        held += part
        while len(held) >= _PIECE_BYTES:
            yield bytes(held[:_PIECE_BYTES])
            del held[:_PIECE_BYTES]
    if held:
        yield bytes(held)
