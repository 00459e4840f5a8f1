"""What a stream holds and what it takes in after that, for as long as both can be told apart.

The server publishes what it has stored once more, under `stored.`: whoever follows a stream needs no consumer.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from nats.aio.msg import Msg

from windlass_contracts.subjects import ALL_EVENTS
from windlass_eventlog.jetstream.connection import Connection
from windlass_eventlog.jetstream.stored import InterruptionError, Selection, Stored, stored
from windlass_eventlog.topology import republished

_LOOK_AGAIN_AFTER_S = 10.0
_WAITING_AT_MOST = 4_000


@dataclass(slots=True)
class _Live:
    """What is published again, until it is read."""

    _arrived: deque[Stored | None] = field(default_factory=deque)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def arrive(self, message: Msg) -> None:
        if len(self._arrived) < _WAITING_AT_MOST:
            self._put(Stored.of(message))
        elif len(self._arrived) == _WAITING_AT_MOST:
            self._put(None)

    def interrupt(self) -> None:
        """End it: what was published while the connection was lost did not get here."""
        self._put(None)

    async def next(self) -> Stored:
        """Return the next message.

        Raises:
            InterruptionError: some were lost, or more waited than there is room for; they are in the stream.
        """
        while not self._arrived:
            self._news.clear()
            await self._news.wait()
        message = self._arrived.popleft()
        if message is None:
            raise InterruptionError("not all that was published has arrived")
        return message

    def next_at(self, sequence: int) -> Stored | None:
        """Return the next message if it is here, and is the one with this sequence."""
        message = self._arrived[0] if self._arrived else None
        if message is None or message.sequence != sequence:
            return None
        self._arrived.popleft()
        return message

    def _put(self, message: Stored | None) -> None:
        self._arrived.append(message)
        self._news.set()


@dataclass(slots=True)
class _Following:
    connection: Connection
    selection: Selection
    live: _Live = field(default_factory=_Live)
    position: int = field(init=False)
    time: str = ""
    in_step: bool = False
    """Whether a message came that was published again: from then on none is missing, unless the connection is lost."""

    def __post_init__(self) -> None:
        self.position = self.selection.first - 1

    async def messages(self) -> AsyncGenerator[list[Stored], None]:
        async with aclosing(self._behind()) as lists:
            async for messages in lists:
                yield messages
        while (new := await self._new()) is not None:
            if self._may_lack_some_before(new):
                async with aclosing(self._behind()) as lists:
                    async for messages in lists:
                        yield messages
            self.in_step = True
            if new.sequence > self.position:
                yield self._with_those_at_hand(new)

    def _with_those_at_hand(self, new: Stored) -> list[Stored]:
        together = [new]
        while (message := self.live.next_at(together[-1].sequence + 1)) is not None:
            together.append(message)
        self._advance(together[-1])
        return together

    async def _behind(self) -> AsyncGenerator[list[Stored], None]:
        selection = replace(self.selection, first=self.position + 1)
        async with aclosing(stored(self.connection, selection)) as lists:
            async for messages in lists:
                self._advance(messages[-1])
                yield messages

    async def _new(self) -> Stored | None:
        """Return a message that was not read yet, or None when it is time to look after the stream again.

        Raises:
            InterruptionError: it cannot go on.
        """
        try:
            async with asyncio.timeout(_LOOK_AGAIN_AFTER_S):
                while (message := await self.live.next()).sequence <= self.position:
                    self._check_same(message)
        except TimeoutError:
            return None
        return message

    def _check_same(self, message: Stored) -> None:
        if message.sequence == self.position and self.time and message.time != self.time:
            raise InterruptionError(f"{self.selection.stream} numbers its messages anew")

    def _may_lack_some_before(self, message: Stored) -> bool:
        next_one = message.sequence == self.position + 1
        return not next_one and (not self.in_step or self.selection.pattern == ALL_EVENTS)

    def _advance(self, message: Stored) -> None:
        self.position, self.time = message.sequence, message.time


async def followed(connection: Connection, selection: Selection) -> AsyncGenerator[list[Stored], None]:
    """Yield what is there and what comes, together what arrives together.

    Ends when nothing came for 10 s: look whether the stream is still the same.

    Raises:
        nats.errors.Error, TimeoutError: it cannot go on; most often an InterruptionError.
    """
    following = _Following(connection, selection)
    async with connection.subscribed(republished(selection.pattern), following.live.arrive):
        with connection.on_reconnect(following.live.interrupt):
            async with aclosing(following.messages()) as lists:
                async for messages in lists:
                    yield messages
