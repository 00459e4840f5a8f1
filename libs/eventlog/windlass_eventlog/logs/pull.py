"""Messages of one subject of the stream `LOGS`, in order and without gap, by a consumer that lives while it is read.

Pull requests of our own: a fetch of nats-py waits for a full batch until it times out.
"""

import json
import secrets
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import api

from windlass_contracts.logs import LOG_STREAM
from windlass_eventlog.errors import LogUnavailableError

ANSWER_WITHIN_S = 5.0
_AT_ONCE = 256
_EXPIRES_S = 30.0
_HEARTBEAT_S = 2.0
_FORGOTTEN_AFTER_S = 30.0
_SECOND_NS = 1_000_000_000
_REQUEST_ENDED = frozenset({"404", "408"})
_ALIVE = "100"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which messages: of a subject, from a sequence on, and whether their bodies are needed."""

    subject: str
    first: int = 1
    headers_only: bool = False


@contextmanager
def answering() -> Iterator[None]:
    """Turn whatever goes wrong between this client and the server into one error.

    Raises:
        LogUnavailableError: it went wrong.
    """
    try:
        yield
    except (nats.errors.Error, OSError) as error:
        why = str(error) or type(error).__name__
        raise LogUnavailableError(f"The stream {LOG_STREAM} did not answer: {why}") from error


async def stored(connection: Client, selection: Selection) -> AsyncGenerator[Msg, None]:
    """Yield the messages that are there when it is asked, and end.

    Raises:
        LogUnavailableError: no answer in time.
    """
    consumer = await _create(connection, selection)
    if not consumer.num_pending:
        return
    async for message in _messages(connection, consumer.name):
        yield message
        if message.metadata.num_pending == 0:
            return


async def arriving(connection: Client, selection: Selection) -> AsyncGenerator[Msg, None]:
    """Yield the messages that are there, and those still to come.

    Raises:
        LogUnavailableError: the server does not answer (any more): begin again behind the last message.
    """
    consumer = await _create(connection, selection)
    async for message in _messages(connection, consumer.name):
        yield message


async def _create(connection: Client, selection: Selection) -> api.ConsumerInfo:
    config = api.ConsumerConfig(
        name=f"logs-{secrets.token_hex(8)}",
        deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=selection.first,
        ack_policy=api.AckPolicy.NONE,
        filter_subject=selection.subject,
        headers_only=selection.headers_only,
        inactive_threshold=_FORGOTTEN_AFTER_S,
        mem_storage=True,
        num_replicas=1,
    )
    with answering():
        return await connection.jsm(timeout=ANSWER_WITHIN_S).add_consumer(LOG_STREAM, config)


async def _messages(connection: Client, consumer: str) -> AsyncGenerator[Msg, None]:
    inbox = connection.new_inbox()
    subscription = await connection.subscribe(inbox)
    requested, delivered = 0, 0
    try:
        while True:
            if requested == 0:
                await _request(connection, consumer, inbox)
                requested = _AT_ONCE
            with answering():
                message = await subscription.next_msg(timeout=2.5 * _HEARTBEAT_S)
            status = (message.headers or {}).get(api.Header.STATUS)
            if status is None:
                requested, delivered = requested - 1, delivered + 1
                _check_order(message, delivered)
                yield message
            elif status in _REQUEST_ENDED:
                requested = 0
            elif status != _ALIVE:
                raise LogUnavailableError(f"The consumer of {LOG_STREAM} ended with status {status}.")
    finally:
        await subscription.unsubscribe()


async def _request(connection: Client, consumer: str, inbox: str) -> None:
    request = {
        "batch": _AT_ONCE,
        "expires": int(_EXPIRES_S * _SECOND_NS),
        "idle_heartbeat": int(_HEARTBEAT_S * _SECOND_NS),
    }
    with answering():
        await connection.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{LOG_STREAM}.{consumer}", json.dumps(request).encode(), inbox
        )


def _check_order(message: Msg, delivered: int) -> None:
    if message.metadata.sequence.consumer != delivered:
        raise LogUnavailableError(f"A message of {LOG_STREAM} was lost on its way.")
