"""What a stream holds, in its order, by batches of direct gets.

No consumer is made for it: whoever may make one may have it deliver to any subject, and so write where only others may.
Source: NATS ADR-31.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Self

import nats.errors
from nats.aio.msg import Msg

from windlass_contracts.cloudevent import ANSWER_HEADER
from windlass_contracts.subjects import STREAM
from windlass_eventlog.jetstream.connection import ANSWER_WITHIN_S, Connection
from windlass_eventlog.jetstream.headers import STORED_AS_ANSWER, lines, of_lines

_BYTES_AT_ONCE = 4 * 1024 * 1024
_END_OF_BATCH = b"204"
_NOTHING_FOUND = b"404"

_SUBJECT = "Nats-Subject"
_SEQUENCE = "Nats-Sequence"
_TIME = "Nats-Time-Stamp"
_PREVIOUS = "Nats-Last-Sequence"
_TO_COME = "Nats-Num-Pending"
_NOT_READ = (_PREVIOUS, ANSWER_HEADER, "Nats-UpTo-Sequence")

_VERSION = b"NATS/1.0"
_BEGIN_OF_MESSAGE = _VERSION + b"\r\n"
_ADDED = tuple(f"{name}: " for name in (ANSWER_HEADER, _SUBJECT, _SEQUENCE, _TIME, _TO_COME, _PREVIOUS))
"""What the server puts behind the headers that a message was published with, in this order."""


class InterruptionError(nats.errors.Error):
    """The server fell silent, or lost a message on its way: begin again behind what was read."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which messages of a stream: those of a pattern, from a sequence on; `at_once` are asked for together."""

    pattern: str
    first: int = 1
    stream: str = STREAM
    at_once: int = 1_000


@dataclass(slots=True)
class Stored:
    """One message of a stream, with the headers that it was published with. `time` is the server's, RFC 3339.

    `to_come` counts those behind it that were there when the server sent it; `previous` is the sequence of the one
    before it in the same answer, 0 for the first.
    """

    sequence: int
    subject: str
    headers: Mapping[str, str]
    data: bytes
    time: str
    to_come: int = 0
    previous: int = 0

    @classmethod
    def of(cls, message: Msg) -> Self:
        """Read what the server published again; it names sequence, subject and time in headers."""
        return cls._of(message.headers or {}, message.data)

    @classmethod
    def answered(cls, block: bytes, data: bytes) -> Self:
        """Read a message of an answer, its headers as they came."""
        told = lines(block)[1:-2]
        added = told[-len(_ADDED) :]
        if not all(map(str.startswith, added, _ADDED)) or len(added) < len(_ADDED):
            return cls._of(of_lines(told), data)
        del told[-len(_ADDED) :]
        _, subject, sequence, time, to_come, previous = map(str.removeprefix, added, _ADDED)
        return cls(int(sequence), subject, of_lines(told), data, time, int(to_come), int(previous))

    @classmethod
    def _of(cls, headers: dict[str, str], data: bytes) -> Self:
        take = headers.pop
        sequence, subject, time = int(take(_SEQUENCE)), take(_SUBJECT, ""), take(_TIME, "")
        to_come, previous = int(take(_TO_COME, 0)), int(headers.get(_PREVIOUS, 0))
        for name in _NOT_READ:
            take(name, None)
        if take(STORED_AS_ANSWER, None) is not None:
            headers[ANSWER_HEADER] = ""
        return cls(sequence, subject, headers, data, time, to_come, previous)


@dataclass(frozen=True, slots=True)
class _EndOfBatch:
    """What the server says behind the messages of an answer: whether there were more of them."""

    more: bool


def _end(block: bytes) -> _EndOfBatch | InterruptionError:
    status, headers = block[len(_VERSION) :].lstrip()[:3], _headers(block)
    if status == _END_OF_BATCH:
        return _EndOfBatch(headers.get(_TO_COME, "0") != "0")
    if status == _NOTHING_FOUND:
        return _EndOfBatch(more=False)
    return InterruptionError(f"the server answers with status {status.decode('ascii', 'replace')}")


def _headers(block: bytes) -> dict[str, str]:
    """Return the headers behind the first line, which names the version, and the status where there is one."""
    return of_lines(lines(block)[1:])


_Arrived = tuple[bytes, bytes] | InterruptionError


@dataclass(slots=True)
class _Batches:
    """The next batch is asked for as soon as one is here, and arrives while that is being read."""

    connection: Connection
    selection: Selection
    inbox: str
    _arrived: list[_Arrived] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _first: int = field(init=False)
    _previous: int = 0

    def __post_init__(self) -> None:
        self._first = self.selection.first

    def arrive(self, block: bytes, data: bytes) -> None:
        """Keep what the server sent; whoever reads is woken up at the end of a batch, not by each part of it."""
        self._arrived.append((block, data))
        if not block.startswith(_BEGIN_OF_MESSAGE):
            self._news.set()

    def interrupt(self) -> None:
        """End the reading: after a reconnect nobody knows what is still on its way."""
        self._arrived.append(InterruptionError("the connection was lost"))
        self._news.set()

    async def messages(self) -> AsyncGenerator[list[Stored], None]:
        """Yield messages, those that are here at once together.

        Raises:
            InterruptionError: it cannot go on.
        """
        await self._ask()
        while True:
            messages, end = self._read(await self._next())
            if end is not None and not isinstance(end, InterruptionError) and end.more:
                await self._ask()
                end = None
            if messages:
                yield messages
            if isinstance(end, InterruptionError):
                raise end
            if end is not None:
                return

    async def _ask(self) -> None:
        request = {
            "batch": self.selection.at_once,
            "max_bytes": _BYTES_AT_ONCE,
            "seq": self._first,
            "next_by_subj": self.selection.pattern,
        }
        subject, self._previous = f"$JS.API.DIRECT.GET.{self.selection.stream}", 0
        await self.connection.client.publish(subject, json.dumps(request).encode(), self.inbox)

    async def _next(self) -> list[_Arrived]:
        """Return a batch; what there is of it where that takes long, but something."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._news.wait()
        except TimeoutError:
            if not self._arrived:
                return [InterruptionError(f"{self.selection.stream} is silent")]
        self._news.clear()
        arrived, self._arrived = self._arrived, []
        return arrived

    def _read(self, arrived: list[_Arrived]) -> tuple[list[Stored], _EndOfBatch | InterruptionError | None]:
        """Return the messages among what arrived, and what ends them, if anything does."""
        messages: list[Stored] = []
        last = arrived[-1]
        for one in arrived:
            if isinstance(one, InterruptionError):
                return messages, one
            block, data = one
            if not block.startswith(_BEGIN_OF_MESSAGE):
                return messages, last if isinstance(last, InterruptionError) else _end(block)
            message = Stored.answered(block, data)
            if message.previous != self._previous:
                return messages, InterruptionError("a message was lost on its way")
            self._first, self._previous = message.sequence + 1, message.sequence
            messages.append(message)
        return messages, None


async def stored(connection: Connection, selection: Selection) -> AsyncGenerator[list[Stored], None]:
    """Yield the messages that are there by now, as they arrive together, and end.

    Raises:
        InterruptionError: it cannot go on.
    """
    batches = _Batches(connection, selection, connection.client.new_inbox())
    async with connection.taken(batches.inbox, batches.arrive):
        with connection.on_reconnect(batches.interrupt):
            async with aclosing(batches.messages()) as lists:
                async for messages in lists:
                    yield messages
