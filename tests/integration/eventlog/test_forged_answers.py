"""Answers that a service has the server send where it may not publish: the server asks for no right to do that."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from support.eventlog_samples import deployment_key
from support.nats import seed_of
from support.raw_events import good_message
from support.rows_contract import appended
from windlass_contracts.errors import ForgedEventError
from windlass_contracts.subjects import STREAM
from windlass_eventlog.buckets import Bucket
from windlass_eventlog.jetstream.buckets import JetStreamKeyValue
from windlass_eventlog.jetstream.connection import Connection
from windlass_eventlog.jetstream.log import JetStreamLog
from windlass_eventlog.message import Message

OWN = f"$KV.{Bucket.OPERATIONS}.answer.router"
"""Where the router may write, and read by direct gets."""


@pytest.fixture
async def router(provisioned: str, tmp_path: Path) -> AsyncIterator[Client]:
    seed = str(seed_of("router", tmp_path))
    client = await nats.connect(provisioned, nkeys_seed=seed, inbox_prefix=b"_INBOX_router")
    yield client
    await client.close()


async def sent_on(router: Client, link: Connection, message: Message, stream: str = STREAM) -> None:
    """Have the server send the message where it is meant to be, out of the router's own answer."""
    last = (await link.jetstream.stream_info(stream)).state.last_seq
    await router.jetstream().publish(OWN, message.body, headers=dict(message.headers))
    ask = json.dumps({"last_by_subj": OWN}).encode()
    await router.publish(f"$JS.API.DIRECT.GET.KV_{Bucket.OPERATIONS}", ask, reply=message.subject)
    await router.flush()
    async with asyncio.timeout(60):
        while (await link.jetstream.stream_info(stream)).state.last_seq == last:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


async def first_of(log: JetStreamLog) -> object:
    async with asyncio.timeout(60), aclosing(log.read(0)) as events:
        return await anext(events)


async def test_what_was_in_the_log_before_somebody_reads_is_no_event(
    router: Client, link: Connection, log: JetStreamLog
) -> None:
    await sent_on(router, link, good_message())

    with pytest.raises(ForgedEventError, match="nobody appended it"):
        await first_of(log)


async def test_what_comes_while_somebody_reads_is_no_event(router: Client, link: Connection, log: JetStreamLog) -> None:
    async with asyncio.timeout(60), aclosing(log.read(0)) as events:
        for sequence in (1, 2):  # the second is heard of while the first is read already
            await appended(log, 1)
            assert (await anext(events)).sequence == sequence
        await sent_on(router, link, good_message())

        with pytest.raises(ForgedEventError, match="nobody appended it"):
            await anext(events)


async def test_what_wakes_up_a_service_is_no_event(router: Client, link: Connection) -> None:
    woken: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()

    async def wake(message: Msg) -> None:
        woken.set_result(message)

    await link.client.subscribe("wake.gateway", queue="gateway", cb=wake)
    await sent_on(router, link, good_message())
    async with asyncio.timeout(60):
        message = await woken

    with pytest.raises(ForgedEventError, match="nobody appended it"):
        Message(message.subject, message.headers or {}, message.data).recorded(1)


async def test_nothing_gets_into_quarantine_like_that(router: Client, link: Connection) -> None:
    entry = Message(f"$KV.{Bucket.QUARANTINE}.gateway.7", {"By": str(deployment_key().id)}, b"{}")
    await sent_on(router, link, entry, f"KV_{Bucket.QUARANTINE}")

    assert [key async for key in (await JetStreamKeyValue.opened(link, Bucket.QUARANTINE)).keys()] == []  # noqa: SIM118 - a bucket is no dictionary
