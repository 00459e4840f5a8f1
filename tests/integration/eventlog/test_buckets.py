"""Buckets and the object store on a real server."""

import pytest

from support.buckets_contract import KeyValueContract, ObjectsContract
from windlass_eventlog.buckets import Bucket
from windlass_eventlog.errors import NotProvisionedError
from windlass_eventlog.jetstream.buckets import JetStreamKeyValue, JetStreamObjects
from windlass_eventlog.jetstream.connection import Connection, connection


class TestJetStreamKeyValue(KeyValueContract):
    @pytest.fixture
    async def bucket(self, link: Connection) -> JetStreamKeyValue:
        return await JetStreamKeyValue.opened(link, Bucket.NOTES)

    async def test_nothing_of_a_deleted_value_stays_in_the_stream(
        self, bucket: JetStreamKeyValue, link: Connection
    ) -> None:
        await bucket.create("key", b"precious")
        await bucket.delete("key")

        state = (await link.jetstream.stream_info("KV_NOTES")).state
        mark = await link.jetstream.get_msg("KV_NOTES", state.last_seq)
        assert state.messages == 1
        assert not mark.data


class TestJetStreamObjects(ObjectsContract):
    @pytest.fixture
    async def objects(self, link: Connection) -> JetStreamObjects:
        return await JetStreamObjects.opened(link)


async def test_a_missing_bucket_is_named_with_the_way_out(nats_url: str) -> None:
    async with connection(nats_url, "test") as bare:
        with pytest.raises(NotProvisionedError, match=r"bucket PEOPLE.*provision"):
            await JetStreamKeyValue.opened(bare, Bucket.PEOPLE)
        with pytest.raises(NotProvisionedError, match=r"object store.*provision"):
            await JetStreamObjects.opened(bare)
