"""Buckets and the object store on a real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from support.buckets_contract import KeyValueContract, ObjectsContract, told
from windlass_eventlog.buckets import Bucket, Change
from windlass_eventlog.errors import NotProvisionedError, StoreFullError
from windlass_eventlog.jetstream.buckets import JetStreamKeyValue
from windlass_eventlog.jetstream.connection import Connection, connection
from windlass_eventlog.jetstream.objects import JetStreamObjects
from windlass_eventlog.jetstream.provisioning import provision
from windlass_eventlog.topology import OBJECTS

from .conftest import RestartableNats


async def once(content: bytes) -> AsyncIterator[bytes]:
    yield content


class TestJetStreamKeyValue(KeyValueContract):
    @pytest.fixture
    async def bucket(self, link: Connection) -> JetStreamKeyValue:
        return await JetStreamKeyValue.opened(link, Bucket.OPERATIONS)

    async def test_nothing_of_a_deleted_value_stays_in_the_stream(
        self, bucket: JetStreamKeyValue, link: Connection
    ) -> None:
        await bucket.create("key", b"precious")
        await bucket.delete("key")

        state = (await link.jetstream.stream_info("KV_OPERATIONS")).state
        mark = await link.jetstream.get_msg("KV_OPERATIONS", state.last_seq)
        assert state.messages == 1
        assert not mark.data


async def test_who_watches_goes_on_behind_a_restart_of_the_server(restartable_nats: RestartableNats) -> None:
    await provision(restartable_nats.url)
    async with connection(restartable_nats.url, "test") as link:
        bucket = await JetStreamKeyValue.opened(link, Bucket.OPERATIONS)
        await bucket.put("one", b"before")
        async with aclosing(bucket.watch()) as changes:
            assert await told(changes, 1) == [Change("one", b"before")]
            coming = asyncio.create_task(told(changes, 1))
            restartable_nats.kill()
            restartable_nats.start()
            async with connection(restartable_nats.url, "other") as other:
                await (await JetStreamKeyValue.opened(other, Bucket.OPERATIONS)).put("two", b"after")
            assert await coming == [Change("two", b"after")]


async def given_budget(link: Connection, objects: JetStreamObjects, size: int) -> JetStreamObjects:
    info = await link.jetstream.stream_info(f"OBJ_{OBJECTS}")
    await link.jetstream.update_stream(info.config.evolve(max_bytes=size))
    return objects


class TestJetStreamObjects(ObjectsContract):
    @pytest.fixture
    async def objects(self, link: Connection) -> JetStreamObjects:
        return await JetStreamObjects.opened(link)

    @pytest.fixture
    async def small(self, link: Connection, objects: JetStreamObjects) -> JetStreamObjects:
        return await given_budget(link, objects, 4 * 2**20)

    async def test_a_store_that_is_full_can_still_be_emptied(self, objects: JetStreamObjects, link: Connection) -> None:
        small = await given_budget(link, objects, 2**20)
        for number in range(100):
            try:
                await small.put(f"small/{number}", once(bytes(90_000 - 800 * number)))
            except StoreFullError:
                break
        else:
            pytest.fail("it took more than its budget")
        kept = [one.key async for one in small.all()]
        assert f"small/{number}" not in kept
        for key in kept:
            await small.delete(key)
        assert [one async for one in small.all()] == []
        assert await small.room() > 2**20 * 3 // 4

    async def test_pieces_that_were_cut_off_are_cleared_once_they_are_old(
        self, objects: JetStreamObjects, link: Connection
    ) -> None:
        await objects.put("key", once(b"whole"))
        await objects.put("deleted", once(b"gone"))
        await objects.delete("deleted")
        for _ in range(3):  # whoever put it there died before it said what it was
            await link.jetstream.publish(f"$O.{OBJECTS}.C.orphan", bytes(1_000))
        now = datetime.now(UTC)
        before = (await link.jetstream.stream_info(f"OBJ_{OBJECTS}")).state.bytes

        assert await objects.clear_pieces(now - timedelta(hours=1)) == 0
        assert await objects.clear_pieces(now + timedelta(hours=1)) == 1
        assert await objects.clear_pieces(now + timedelta(hours=1)) == 0

        assert b"".join([piece async for piece in objects.get("key")]) == b"whole"
        after = (await link.jetstream.stream_info(f"OBJ_{OBJECTS}")).state.bytes
        assert before - after > 2_500


async def test_a_missing_bucket_is_named_with_the_way_out(nats_url: str) -> None:
    async with connection(nats_url, "test") as bare:
        with pytest.raises(NotProvisionedError, match=r"bucket PEOPLE.*provision"):
            await JetStreamKeyValue.opened(bare, Bucket.PEOPLE)
        with pytest.raises(NotProvisionedError, match=r"object store.*provision"):
            await JetStreamObjects.opened(bare)
