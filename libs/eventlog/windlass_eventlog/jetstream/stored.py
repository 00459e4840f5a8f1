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
from nats.js import api

from windlass_contracts.subjects import STREAM
from windlass_eventlog.jetstream.connection import ANSWER_WITHIN_S, Connection

_AT_ONCE = 1_000
_BYTES_AT_ONCE = 4 * 1024 * 1024
_END_OF_BATCH = "204"
_NOTHING_FOUND = "404"

_SUBJECT = "Nats-Subject"
_SEQUENCE = "Nats-Sequence"
_TIME = "Nats-Time-Stamp"
_PREVIOUS = "Nats-Last-Sequence"
_TO_COME = "Nats-Num-Pending"
_NOT_READ = (_PREVIOUS, "Nats-Stream", "Nats-UpTo-Sequence")


class InterruptionError(nats.errors.Error):
    """The server fell silent, or lost a message on its way: begin again behind what was read."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which messages of a stream: those of a pattern, from a sequence on."""

    pattern: str
    first: int = 1
    stream: str = STREAM


@dataclass(slots=True)
class Stored:
    """One message of a stream, with the headers that it was published with. `time` is the server's, RFC 3339.

    `to_come` counts those behind it that were there when the server sent it.
    """

    sequence: int
    subject: str
    headers: Mapping[str, str]
    data: bytes
    time: str
    to_come: int = 0

    @classmethod
    def of(cls, message: Msg) -> Self:
        """Read what the server sent; it names sequence, subject and time in headers."""
        headers = message.headers or {}
        take = headers.pop
        sequence, subject, time = int(take(_SEQUENCE)), take(_SUBJECT, ""), take(_TIME, "")
        to_come = int(take(_TO_COME, 0))
        for name in _NOT_READ:
            take(name, None)
        return cls(sequence, subject, headers, message.data, time, to_come)


@dataclass(slots=True)
class _Batches:
    """The next batch is asked for as soon as one is here, and arrives while that is being read."""

    connection: Connection
    selection: Selection
    inbox: str
    _arrived: "asyncio.Queue[Stored | InterruptionError | None]" = field(default_factory=asyncio.Queue)
    _first: int = field(init=False)
    _previous: int = 0
    _due: bool = False

    def __post_init__(self) -> None:
        self._first = self.selection.first

    async def ask(self) -> None:
        self._due, self._previous = False, 0
        request = {
            "batch": _AT_ONCE,
            "max_bytes": _BYTES_AT_ONCE,
            "seq": self._first,
            "next_by_subj": self.selection.pattern,
        }
        subject = f"$JS.API.DIRECT.GET.{self.selection.stream}"
        await self.connection.client.publish(subject, json.dumps(request).encode(), self.inbox)

    async def arrive(self, message: Msg) -> None:
        headers = message.headers or {}
        if _SEQUENCE not in headers:
            await self._batch_ended(headers)
        elif int(headers[_PREVIOUS]) != self._previous:
            self.interrupt("a message was lost on its way")
        else:
            stored = Stored.of(message)
            self._first, self._previous = stored.sequence + 1, stored.sequence
            self._arrived.put_nowait(stored)

    async def _batch_ended(self, headers: Mapping[str, str]) -> None:
        status = headers.get(api.Header.STATUS)
        if status == _NOTHING_FOUND or (status == _END_OF_BATCH and headers.get(_TO_COME, "0") == "0"):
            self._arrived.put_nowait(None)
        elif status != _END_OF_BATCH:
            self.interrupt(f"the server answers with status {status}")
        elif self._arrived.qsize() <= _AT_ONCE:
            await self.ask()
        else:
            self._due = True

    def interrupt(self, why: str = "the connection was lost") -> None:
        """End the reading: after a reconnect nobody knows what is still on its way."""
        self._arrived.put_nowait(InterruptionError(why))

    async def messages(self) -> AsyncGenerator[list[Stored], None]:
        """Yield messages, those that are here at once together.

        Raises:
            InterruptionError: it cannot go on.
        """
        await self.ask()
        while True:
            if self._due and self._arrived.qsize() <= _AT_ONCE:
                await self.ask()
            arrived = [await self._next()]
            while not self._arrived.empty():
                arrived.append(self._arrived.get_nowait())
            if messages := [message for message in arrived if isinstance(message, Stored)]:
                yield messages
            if not isinstance(end := arrived[-1], Stored):
                if end is None:
                    return
                raise end

    async def _next(self) -> Stored | InterruptionError | None:
        # No task of its own for the usual case, in which the next message is there already.
        return self._arrived.get_nowait() if not self._arrived.empty() else await self._wait()

    async def _wait(self) -> Stored | InterruptionError | None:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await self._arrived.get()
        except TimeoutError:
            return InterruptionError(f"{self.selection.stream} is silent")


async def stored(connection: Connection, selection: Selection) -> AsyncGenerator[list[Stored], None]:
    """Yield the messages that are there by now, as they arrive together, and end.

    Raises:
        InterruptionError: it cannot go on.
    """
    batches = _Batches(connection, selection, connection.client.new_inbox())
    async with connection.subscribed(batches.inbox, batches.arrive):
        with connection.on_reconnect(batches.interrupt):
            async with aclosing(batches.messages()) as lists:
                async for messages in lists:
                    yield messages
