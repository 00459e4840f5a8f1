"""The raw copy of every event: bytes, headers, subject, sequence and time, in the gateway's own database.

It is a record: never rebuilt, and nothing in it is ever changed. It has a place of its own in the log and reads nothing
of what it copies, so that it goes on past an event that halts the rows. Each stream has its own copy: one that was
deleted and made anew, or that ends before its copy does, is said aloud and copied from its beginning, beside the other.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NoReturn

import structlog
from asyncpg import Record

from windlass_contracts.subjects import STREAM
from windlass_eventlog.background import background
from windlass_eventlog.errors import RowsUnavailableError
from windlass_eventlog.log import EventLog
from windlass_eventlog.message import StoredMessage, Stretch
from windlass_eventlog.postgres.database import UNAVAILABLE, Database, Session
from windlass_gateway.adapters.records import RECORDS

_GATHERED_FOR_S = 0.2
"""At the head of the log, what comes within this time is written together."""
_READ_AHEAD = 8
_TRY_AGAIN_AFTER_S = 1.0
_AT_ONCE = 1_000

_LOGS, _EVENTS = f"{RECORDS.schema}.event_logs", f"{RECORDS.schema}.events"
_COLUMNS = ("log", "sequence", "stored_at", "subject", "headers", "body")
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('windlass event copy'))"
_LATEST = f"SELECT id, stream_created, position FROM {_LOGS} ORDER BY id DESC LIMIT 1"  # noqa: S608 - names of ours
_ALL = f"SELECT id, stream_created, begun_at, position FROM {_LOGS} ORDER BY id"  # noqa: S608 - as above
_BEGIN = f"INSERT INTO {_LOGS} (stream_created) VALUES ($1) RETURNING id"  # noqa: S608 - as above
_MOVE = f"UPDATE {_LOGS} SET position = $1 WHERE id = $2 AND position = $3"  # noqa: S608 - as above
_PART = (
    f"SELECT sequence, stored_at, subject, headers, body FROM {_EVENTS}"  # noqa: S608 - as above
    " WHERE log = $1 AND sequence BETWEEN $2 AND $3 ORDER BY sequence"
)

_log = structlog.get_logger(__name__)


class _AnotherWriterError(Exception):
    """Another process of the gateway copied meanwhile."""


@dataclass(frozen=True, slots=True)
class Copied:
    """The copy of one stream, and the sequence up to which it goes; 0 where nothing was copied yet."""

    id: int
    position: int


@dataclass(slots=True)
class EventCopy:
    """Copies for ever. Several processes do no harm: each part is copied by the first that moves the position."""

    log: EventLog
    database: Database

    async def run(self) -> NoReturn:
        """Follow the log.

        Raises:
            GapError, NotProvisionedError, PermissionDeniedError: the log cannot be read any more.
        """
        while True:
            try:
                await self._follow()
            except (_AnotherWriterError, RowsUnavailableError, *UNAVAILABLE) as error:
                _log.info("event_copy.going_on", why=str(error) or type(error).__name__)
                await asyncio.sleep(_TRY_AGAIN_AFTER_S)

    async def place(self) -> Copied:
        """Return the copy of the stream as it is now, begun where there is none."""

        async def ask(session: Session) -> Copied:
            async with session.transaction():
                await session.execute(_ONE_AT_A_TIME)
                found = await session.fetchrow(_LATEST)
                # Only now: asked before, a log that grew since would seem to end before its own copy.
                created, head = await self.log.created(), await self.log.head()
                if found is not None:
                    if found["stream_created"] == created and found["position"] <= head:
                        return Copied(found["id"], found["position"])
                    _say_other_stream(found, created, head)
                return Copied(await session.fetchval(_BEGIN, created), 0)

        return await self.database.ask(ask)

    async def _follow(self) -> NoReturn:
        place = await self.place()
        queue: asyncio.Queue[Stretch] = asyncio.Queue(_READ_AHEAD)
        async with background(self._read(place.position, queue)):
            while True:
                place = await self._write(place, await _gathered(queue))

    async def _read(self, after: int, queue: "asyncio.Queue[Stretch]") -> None:
        async with aclosing(self.log.stretches(after)) as stretches:
            async for stretch in stretches:
                await queue.put(stretch)

    async def _write(self, place: Copied, messages: Sequence[StoredMessage]) -> Copied:
        end = messages[-1].sequence
        records = [(place.id, *_columns(message)) for message in messages]

        async def write(session: Session) -> None:
            async with session.transaction():
                if await session.execute(_MOVE, end, place.id, place.position) != "UPDATE 1":
                    raise _AnotherWriterError
                await session.copy_records_to_table(
                    "events", schema_name=RECORDS.schema, columns=_COLUMNS, records=records
                )

        await self.database.once(write)
        return replace(place, position=end)


def _say_other_stream(copied: Record, created: datetime, head: int) -> None:
    _log.error(
        "event_copy.other_stream",
        stream=STREAM,
        sequence=copied["position"],
        copied_stream_created=str(copied["stream_created"]),
        stream_created=str(created),
        head=head,
        why="the stream was deleted and made anew, or restored from an older backup",
        way_out=f"the copy {copied['id']} keeps what was there: see docs/operations.md, The raw copy",
    )


async def _gathered(queue: "asyncio.Queue[Stretch]") -> list[StoredMessage]:
    stretch = await queue.get()
    if stretch.to_come == 0:
        await asyncio.sleep(_GATHERED_FOR_S)
    messages = list(stretch.messages)
    while not queue.empty():
        messages += queue.get_nowait().messages
    return messages


def _columns(message: StoredMessage) -> tuple[object, ...]:
    headers = json.dumps(dict(message.headers))
    return message.sequence, message.stored_at, message.subject.encode(), headers, message.body


@dataclass(frozen=True, slots=True)
class CopiedStream:
    """A copy that there is, and which stream it is of."""

    copy: Copied
    stream_created: datetime
    begun_at: datetime


async def all_copies(database: Database) -> list[CopiedStream]:
    """Return the copies that there are, in the order in which they were begun."""
    found = await database.ask(lambda session: session.fetch(_ALL))
    return [CopiedStream(Copied(one["id"], one["position"]), one["stream_created"], one["begun_at"]) for one in found]


async def copied_messages(database: Database, place: Copied) -> AsyncGenerator[list[StoredMessage], None]:
    """Yield the messages of a copy in order, some at once."""
    for first in range(1, place.position + 1, _AT_ONCE):
        yield await part(database, place, first, min(first + _AT_ONCE - 1, place.position))


async def part(database: Database, place: Copied, first: int, last: int) -> list[StoredMessage]:
    """Return the messages of a copy from one sequence to another."""
    found = await database.ask(lambda session: session.fetch(_PART, place.id, first, last))
    return [
        StoredMessage(
            record["sequence"],
            record["stored_at"],
            record["subject"].decode(),
            json.loads(record["headers"]),
            record["body"],
        )
        for record in found
    ]
