"""Messages of one subject pattern by an ephemeral consumer of its own, for as long as that lives.

Pull requests of our own: a fetch of nats-py waits for a full batch until it times out.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

import nats.errors
from nats.aio.msg import Msg
from nats.js import api

from windlass_contracts.subjects import STREAM
from windlass_eventlog.jetstream.connection import Connection

_AT_ONCE = 1_000
_EXPIRES_S = 30.0
_HEARTBEAT_S = 5.0
_SILENCE_S = 2.5 * _HEARTBEAT_S
_FORGOTTEN_AFTER_S = 30.0
_SECOND_NS = 1_000_000_000
_ALIVE = "100"
_REQUEST_ENDED = frozenset({"404", "408"})
_UNUSED = "Nats-Pending-Messages"


class InterruptionError(nats.errors.Error):
    """The consumer is gone or silent, or lost a message on its way: make another one, behind what was read."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which messages of a stream: those of a pattern, from a sequence on, with or without their bodies."""

    pattern: str
    first: int = 1
    headers_only: bool = False
    stream: str = STREAM


@dataclass(slots=True)
class Pull:
    """One consumer and the requests for its messages. Made and closed by `pulled`."""

    connection: Connection
    stream: str
    consumer: str
    inbox: str
    _arrived: "asyncio.Queue[Msg | None]" = field(default_factory=asyncio.Queue)
    _requested: int = 0
    _delivered: int = 0

    async def arrive(self, message: Msg) -> None:
        self._arrived.put_nowait(message)

    def interrupt(self) -> None:
        """End the wait for messages: after a reconnect nobody knows what became of the consumer."""
        self._arrived.put_nowait(None)

    async def messages(self) -> AsyncGenerator[list[Msg], None]:
        """Yield messages in the consumer's order, those that are there at once together.

        Raises:
            InterruptionError: it cannot go on.
        """
        while True:
            if self._requested <= _AT_ONCE // 2:
                await self._request(_AT_ONCE - self._requested)
            arrived = [await self._next()]
            while not self._arrived.empty():
                arrived.append(await self._next())
            if messages := [message for message in arrived if self._delivers(message)]:
                yield messages

    def _delivers(self, message: Msg) -> bool:
        """Tell whether this is a message of the stream, and not what the server says of the request."""
        headers = message.headers or {}
        status = headers.get(api.Header.STATUS)
        if status is None:
            self._requested -= 1
            self._delivered += 1
            if message.metadata.sequence.consumer != self._delivered:
                raise InterruptionError("a message was lost on its way")
            return True
        if status in _REQUEST_ENDED:
            self._requested -= int(headers.get(_UNUSED, self._requested))
        elif status != _ALIVE:
            raise InterruptionError(f"the consumer ended with status {status}")
        return False

    async def _next(self) -> Msg:
        try:
            # No task of its own for the usual case, in which the next message is there already.
            message = self._arrived.get_nowait() if not self._arrived.empty() else await self._wait()
        except TimeoutError:
            raise InterruptionError("the consumer is silent") from None
        if message is None:
            raise InterruptionError("the connection was lost")
        return message

    async def _wait(self) -> Msg | None:
        async with asyncio.timeout(_SILENCE_S):
            return await self._arrived.get()

    async def _request(self, messages: int) -> None:
        request = {
            "batch": messages,
            "expires": int(_EXPIRES_S * _SECOND_NS),
            "idle_heartbeat": int(_HEARTBEAT_S * _SECOND_NS),
        }
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self.stream}.{self.consumer}"
        await self.connection.client.publish(subject, json.dumps(request).encode(), self.inbox)
        self._requested += messages


async def pulled(connection: Connection, selection: Selection) -> AsyncGenerator[tuple[Msg, int], None]:
    """Yield messages, each with the number of those that are still to come at that moment.

    Raises:
        nats.errors.Error, TimeoutError: it cannot go on; most often an InterruptionError.
    """
    async with aclosing(pulled_together(connection, selection)) as lists:
        async for messages in lists:
            for message in messages:
                yield message, message.metadata.num_pending


async def pulled_together(connection: Connection, selection: Selection) -> AsyncGenerator[list[Msg], None]:
    """Yield messages, those that are there at once together.

    Raises:
        nats.errors.Error, TimeoutError: as `pulled`.
    """
    client = connection.client
    pull = Pull(connection, selection.stream, f"{connection.name}-{secrets.token_hex(8)}", client.new_inbox())
    subscription = await client.subscribe(pull.inbox, cb=pull.arrive)
    try:
        with connection.on_reconnect(pull.interrupt):
            config = _ephemeral(pull.consumer, selection)
            await connection.once(lambda: connection.jetstream.add_consumer(selection.stream, config))
            async with aclosing(pull.messages()) as lists:
                async for messages in lists:
                    yield messages
    finally:
        if not client.is_closed:
            await subscription.unsubscribe()


def _ephemeral(name: str, selection: Selection) -> api.ConsumerConfig:
    """Describe a consumer that the server keeps in memory, and forgets by itself once nobody asks it any more."""
    return api.ConsumerConfig(
        name=name,
        deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=selection.first,
        ack_policy=api.AckPolicy.NONE,
        filter_subject=selection.pattern,
        headers_only=selection.headers_only,
        inactive_threshold=_FORGOTTEN_AFTER_S,
        mem_storage=True,
        num_replicas=1,
    )
