"""Reactors on a service's durable: FastStream subscribes, acknowledgements are our own.

The durable is made by the provisioner alone. It is pushed, so that a wake-up is here within a millisecond and nobody
polls; FastStream's pull subscribers wait for full batches, and spin once their durable is gone.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NoReturn

import nats.errors
import structlog
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, NatsMessage, NatsNKey
from nats.js.errors import NotFoundError

from windlass_contracts.subjects import STREAM
from windlass_eventlog.attending import Attending
from windlass_eventlog.background import background
from windlass_eventlog.errors import LogUnavailableError, NotProvisionedError
from windlass_eventlog.jetstream.connection import RECONNECT_AFTER_S, Connection
from windlass_eventlog.jetstream.consumers import consumer_drifts
from windlass_eventlog.jetstream.deliveries import Deliveries
from windlass_eventlog.topology import Durable

_CHECK_EVERY_S = 5.0
_MENDED_WITHIN_S = 60.0

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def reacting(
    connection: Connection, url: str, durable: Durable, attending: Attending
) -> AsyncIterator[Attending]:
    """Wake up the reactors while the block lasts; what they were at when it ends comes again at once, elsewhere.

    Raises:
        NotProvisionedError: the durable is missing or not what this release expects; later, if that lasts a minute.
        LogUnavailableError: NATS did not answer at the start.
    """
    await _check_provisioned(connection, durable)
    deliveries = Deliveries(attending, durable.ack_wait)
    broker = _broker(connection, url)
    subscriber = broker.subscriber(
        durable.deliver_subject,
        queue=durable.name,  # the durable of that name, and its deliver group
        stream=JStream(STREAM, declare=False),
        ack_policy=AckPolicy.MANUAL,
        decoder=_whole,
        no_reply=True,
    )
    subscriber(_taker(deliveries))
    await broker.start()
    try:
        async with background(_staying(connection, durable)):
            yield attending
    finally:
        await subscriber.stop()
        await deliveries.close()
        await broker.stop()


def _broker(connection: Connection, url: str) -> NatsBroker:
    return NatsBroker(
        url,
        name=f"{connection.name}-reactors",
        security=None if connection.seed_file is None else NatsNKey.from_file(connection.seed_file),
        inbox_prefix=f"_INBOX_{connection.name}",
        error_cb=connection.noticed,
        max_reconnect_attempts=-1,
        reconnect_time_wait=RECONNECT_AFTER_S,  # type: ignore[arg-type] # it is slept: a fraction will do
        logger=None,
        apply_types=False,
    )


async def _whole(message: NatsMessage) -> NatsMessage:
    """Leave the message as it is: events are read by the contract, not by the broker."""
    return message


def _taker(deliveries: Deliveries) -> Callable[[NatsMessage], Awaitable[None]]:
    async def take(message: NatsMessage) -> None:
        await deliveries.take(message.raw_message)

    return take


async def _check_provisioned(connection: Connection, durable: Durable) -> None:
    try:
        differences = await consumer_drifts(connection.jetstream, durable)
    except NotFoundError as error:
        msg = f"There is no consumer {durable.name} of {STREAM}: provision the installation."
        raise NotProvisionedError(msg) from error
    except (nats.errors.Error, OSError) as error:
        msg = f"NATS did not answer about the consumer {durable.name}: {str(error) or type(error).__name__}"
        raise LogUnavailableError(msg) from error
    if differences:
        said = "; ".join(map(str, differences))
        msg = f"The consumer {durable.name} of {STREAM} is not what this release expects ({said}): provision again."
        raise NotProvisionedError(msg)


async def _staying(connection: Connection, durable: Durable) -> NoReturn:
    """Look after the durable: a subscriber of one that is gone hears nothing. The keeper makes it anew, within moments.

    Raises:
        NotProvisionedError: nobody did, for a minute.
    """
    since: float | None = None
    while True:
        await asyncio.sleep(_CHECK_EVERY_S)
        try:
            await _check_provisioned(connection, durable)
        except NotProvisionedError as error:
            since = since or time.monotonic()
            _log.error("consumer.not_as_it_should_be", consumer=durable.name, why=str(error))
            if time.monotonic() - since >= _MENDED_WITHIN_S:
                raise
        except LogUnavailableError as error:
            _log.info("consumer.unanswered", consumer=durable.name, error=str(error))
        else:
            since = None
