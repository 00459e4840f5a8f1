"""What buckets and the object store do, whatever keeps them. The tests of each adapter subclass these."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from windlass_eventlog.buckets import Change, KeyValue, Objects
from windlass_eventlog.clock import utc_now
from windlass_eventlog.errors import KeyChangedError, KeyTakenError, StoreFullError


class KeyValueContract:
    async def test_a_value_is_kept_under_a_key_that_is_nobody_elses(self, bucket: KeyValue) -> None:
        await bucket.create("one", b"\x00\xff value")
        with pytest.raises(KeyTakenError):
            await bucket.create("one", b"another")

        assert await bucket.get("one") == b"\x00\xff value"
        assert await bucket.get("two") is None

    async def test_an_empty_value_is_a_value(self, bucket: KeyValue) -> None:
        await bucket.create("empty", b"")
        assert await bucket.get("empty") == b""

    async def test_a_deleted_value_is_gone_and_its_key_is_free(self, bucket: KeyValue) -> None:
        await bucket.create("one", b"first")
        await bucket.delete("one")
        await bucket.delete("one")
        await bucket.delete("never-there")
        assert await bucket.get("one") is None
        assert await keys_of(bucket) == []

        await bucket.create("one", b"second")
        assert await bucket.get("one") == b"second"

    async def test_keys_are_those_that_have_values(self, bucket: KeyValue) -> None:
        for key in ("b", "a", "c"):
            await bucket.create(key, b"value")
        await bucket.delete("b")
        assert sorted(await keys_of(bucket)) == ["a", "c"]

    async def test_keys_may_be_those_that_begin_alike(self, bucket: KeyValue) -> None:
        for key in ("a.1", "a.2", "ab.3", "b.4"):
            await bucket.create(key, b"value")
        await bucket.delete("a.2")
        assert await keys_of(bucket, "a.") == ["a.1"]
        assert await keys_of(bucket, "c.") == []

    async def test_what_is_put_replaces_what_was_there(self, bucket: KeyValue) -> None:
        await bucket.put("one", b"first")
        await bucket.put("one", b"second")
        assert await bucket.get("one") == b"second"
        with pytest.raises(KeyTakenError):
            await bucket.create("one", b"third")

    async def test_a_value_is_replaced_by_whoever_knows_its_revision(self, bucket: KeyValue) -> None:
        created = await bucket.create("one", b"first")
        entry = await bucket.entry("one")
        assert entry is not None
        assert (entry.value, entry.revision) == (b"first", created)

        updated = await bucket.update("one", b"second", created)

        assert updated > created
        assert await bucket.get("one") == b"second"
        with pytest.raises(KeyChangedError):
            await bucket.update("one", b"third", created)
        assert await bucket.get("one") == b"second"

    async def test_what_was_deleted_is_not_brought_back_by_an_update(self, bucket: KeyValue) -> None:
        revision = await bucket.create("one", b"first")
        await bucket.delete("one")
        with pytest.raises(KeyChangedError):
            await bucket.update("one", b"second", revision)
        assert await bucket.get("one") is None
        assert await bucket.entry("one") is None
        assert await bucket.entry("never-there") is None

    async def test_an_entry_says_when_it_was_stored(self, bucket: KeyValue) -> None:
        before = utc_now()
        await bucket.create("empty", b"")
        entry = await bucket.entry("empty")
        assert entry is not None
        assert entry.value == b""
        assert timedelta() <= entry.stored_at - before < timedelta(minutes=1)

    async def test_who_watches_is_told_what_is_there_and_then_what_comes(self, bucket: KeyValue) -> None:
        await bucket.put("one", b"replaced")
        await bucket.put("two", b"2")
        await bucket.put("one", b"1")
        await bucket.put("gone", b"before")
        await bucket.delete("gone")
        async with aclosing(bucket.watch()) as changes:
            assert await told(changes, 2) == [Change("two", b"2"), Change("one", b"1")]

            await bucket.delete("never-there")
            await bucket.put("empty", b"")
            await bucket.delete("two")
            await bucket.put("two", b"again")
            assert await told(changes, 3) == [Change("empty", b""), Change("two", None), Change("two", b"again")]

    async def test_who_watches_some_keys_is_told_of_no_other(self, bucket: KeyValue) -> None:
        for key in ("answer", "answer.logs", "answers.logs", "request.logs", "answer.logs.old"):
            await bucket.put(key, b"")
        async with aclosing(bucket.watch("answer.")) as below, aclosing(bucket.watch("answer.logs")) as one:
            assert [change.key for change in await told(below, 2)] == ["answer.logs", "answer.logs.old"]
            assert [change.key for change in await told(one, 1)] == ["answer.logs"]

            await bucket.put("answer.router", b"")
            await bucket.put("answer.logs", b"more")
            assert [change.key for change in await told(below, 2)] == ["answer.router", "answer.logs"]
            assert await told(one, 1) == [Change("answer.logs", b"more")]


async def told(changes: AsyncGenerator[Change, None], count: int) -> list[Change]:
    """Return the next changes, once they are there."""
    async with asyncio.timeout(60):
        return [await anext(changes) for _ in range(count)]


async def keys_of(bucket: KeyValue, prefix: str = "") -> list[str]:
    return [key async for key in bucket.keys(prefix)]


async def pieces(*contents: bytes) -> AsyncIterator[bytes]:
    for content in contents:
        yield content


async def interrupted() -> AsyncIterator[bytes]:
    yield b"half"
    raise ConnectionResetError


async def whole(objects: Objects, key: str) -> bytes:
    return b"".join([piece async for piece in objects.get(key)])


class ObjectsContract:
    async def test_what_was_put_in_pieces_is_got_whole(self, objects: Objects) -> None:
        large = bytes(range(256)) * 4_096
        await objects.put("uploads/large.tar", pieces(large, b"", b"end"))
        await objects.put("uploads/empty", pieces())

        assert await whole(objects, "uploads/large.tar") == large + b"end"
        assert await whole(objects, "uploads/empty") == b""
        assert await objects.size("uploads/large.tar") == len(large) + 3
        assert await objects.size("uploads/never") is None

    async def test_what_is_put_again_replaces_what_was_there(self, objects: Objects) -> None:
        await objects.put("key", pieces(b"first"))
        await objects.put("key", pieces(b"second"))
        assert await whole(objects, "key") == b"second"

    async def test_an_upload_that_breaks_off_leaves_nothing(self, objects: Objects) -> None:
        with pytest.raises(ConnectionResetError):
            await objects.put("key", interrupted())
        with pytest.raises(KeyError):
            await whole(objects, "key")

    async def test_what_is_stored_is_listed_with_its_size_and_its_time(self, objects: Objects) -> None:
        began = datetime.now(UTC) - timedelta(seconds=1)
        for key, content in (("uploads/a", b"one"), ("uploads/a", b"three"), ("uploads/b", b""), ("other", b"x")):
            await objects.put(key, pieces(content))
        await objects.put("uploads/gone", pieces(b"gone"))
        await objects.delete("uploads/gone")
        with pytest.raises(ConnectionResetError):
            await objects.put("uploads/broken", interrupted())

        listed = {one.key: one async for one in objects.all("uploads/")}
        assert {key: one.size for key, one in listed.items()} == {"uploads/a": 5, "uploads/b": 0}
        assert all(began < one.stored_at < datetime.now(UTC) + timedelta(seconds=1) for one in listed.values())
        assert {one.key async for one in objects.all()} >= {"other", "uploads/a"}

    async def test_clearing_pieces_leaves_what_is_whole(self, objects: Objects) -> None:
        await objects.put("key", pieces(b"content"))
        assert await objects.clear_pieces(datetime.now(UTC) + timedelta(hours=1)) == 0
        assert await whole(objects, "key") == b"content"

    async def test_what_was_deleted_is_gone(self, objects: Objects) -> None:
        await objects.put("key", pieces(b"content"))
        await objects.delete("key")
        await objects.delete("key")
        assert await objects.size("key") is None
        with pytest.raises(KeyError):
            await whole(objects, "key")

    async def test_what_does_not_fit_is_refused_and_what_is_deleted_makes_room(self, small: Objects) -> None:
        room = await small.room()
        await small.put("first", zeros(room // 2))
        assert await small.room() <= room // 2
        with pytest.raises(StoreFullError):
            await small.put("second", zeros(room))
        assert await small.size("second") is None
        assert await small.size("first") == room // 2

        await small.delete("first")
        assert await small.room() >= room - room // 8
        await small.put("second", zeros(room // 2))


async def zeros(size: int) -> AsyncIterator[bytes]:
    for begin in range(0, size, 2**16):
        yield bytes(min(2**16, size - begin))
