"""Buckets and objects in memory."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from windlass_eventlog.buckets import Change, Entry, KeyValue, Objects, StoredObject
from windlass_eventlog.clock import Clock, utc_now
from windlass_eventlog.errors import KeyChangedError, KeyTakenError, StoreFullError
from windlass_eventlog.topology import OBJECTS_BYTES


@dataclass(frozen=True, slots=True)
class MemoryKeyValue(KeyValue):
    """One bucket."""

    clock: Clock = utc_now
    _entries: dict[str, Entry] = field(default_factory=dict)
    _watchers: set["asyncio.Queue[Change]"] = field(default_factory=set)
    _revisions: Iterator[int] = field(default_factory=partial(itertools.count, 1))

    async def create(self, key: str, value: bytes) -> int:
        if key in self._entries:
            raise KeyTakenError(key)
        return self._store(key, value)

    async def put(self, key: str, value: bytes) -> None:
        self._store(key, value)

    async def get(self, key: str) -> bytes | None:
        entry = self._entries.get(key)
        return None if entry is None else entry.value

    async def entry(self, key: str) -> Entry | None:
        return self._entries.get(key)

    async def update(self, key: str, value: bytes, revision: int) -> int:
        entry = self._entries.get(key)
        if entry is None or entry.revision != revision:
            raise KeyChangedError(key)
        return self._store(key, value)

    async def delete(self, key: str) -> None:
        if self._entries.pop(key, None) is not None:
            self._tell(Change(key, None))

    async def keys(self, prefix: str = "") -> AsyncIterator[str]:
        for key in sorted(self._entries):
            if _selects(prefix, key):
                yield key

    async def watch(self, prefix: str = "") -> AsyncGenerator[Change, None]:
        changes: asyncio.Queue[Change] = asyncio.Queue()
        self._watchers.add(changes)
        try:
            for key, entry in list(self._entries.items()):
                changes.put_nowait(Change(key, entry.value))
            while True:
                change = await changes.get()
                if _selects(prefix, change.key):
                    yield change
        finally:
            self._watchers.discard(changes)

    def _store(self, key: str, value: bytes) -> int:
        revision = next(self._revisions)
        self._entries.pop(key, None)  # so that the order is that of storing
        self._entries[key] = Entry(value, revision, self.clock())
        self._tell(Change(key, value))
        return revision

    def _tell(self, change: Change) -> None:
        for changes in self._watchers:
            changes.put_nowait(change)


def _selects(prefix: str, key: str) -> bool:
    return key == prefix or not prefix or (prefix.endswith(".") and key.startswith(prefix))


@dataclass(frozen=True, slots=True)
class MemoryObjects(Objects):
    """Large things that are small enough for tests."""

    clock: Clock = utc_now
    budget: int = OBJECTS_BYTES
    _contents: dict[str, bytes] = field(default_factory=dict)
    _times: dict[str, datetime] = field(default_factory=dict)

    async def put(self, key: str, content: AsyncIterator[bytes]) -> None:
        whole = b"".join([piece async for piece in content])
        if len(whole) > await self.room():
            msg = "The object store has no room for it: nothing of it was kept."
            raise StoreFullError(msg)
        self._contents[key] = whole
        self._times[key] = self.clock()

    async def room(self) -> int:
        return max(0, self.budget - sum(map(len, self._contents.values())))

    async def get(self, key: str) -> AsyncIterator[bytes]:
        yield self._contents[key]

    async def size(self, key: str) -> int | None:
        content = self._contents.get(key)
        return None if content is None else len(content)

    async def delete(self, key: str) -> None:
        self._contents.pop(key, None)

    async def all(self, prefix: str = "") -> AsyncIterator[StoredObject]:
        for key, content in sorted(self._contents.items()):
            if key.startswith(prefix):
                yield StoredObject(key, len(content), self._times[key])

    async def clear_pieces(self, before: datetime) -> int:  # noqa: ARG002 - nothing is stored before it is whole
        return 0
