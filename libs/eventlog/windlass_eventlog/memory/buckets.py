"""Buckets and objects in memory."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field

from windlass_eventlog.buckets import Change, KeyValue, Objects
from windlass_eventlog.errors import KeyTakenError


@dataclass(frozen=True, slots=True)
class MemoryKeyValue(KeyValue):
    """One bucket."""

    _values: dict[str, bytes] = field(default_factory=dict)
    _watchers: set["asyncio.Queue[Change]"] = field(default_factory=set)

    async def create(self, key: str, value: bytes) -> None:
        if key in self._values:
            raise KeyTakenError(key)
        await self.put(key, value)

    async def put(self, key: str, value: bytes) -> None:
        self._values.pop(key, None)  # so that the order is that of storing
        self._values[key] = value
        self._tell(Change(key, value))

    async def get(self, key: str) -> bytes | None:
        return self._values.get(key)

    async def delete(self, key: str) -> None:
        if self._values.pop(key, None) is not None:
            self._tell(Change(key, None))

    async def keys(self) -> AsyncIterator[str]:
        for key in sorted(self._values):
            yield key

    async def watch(self, prefix: str = "") -> AsyncGenerator[Change, None]:
        changes: asyncio.Queue[Change] = asyncio.Queue()
        self._watchers.add(changes)
        try:
            for key, value in list(self._values.items()):
                changes.put_nowait(Change(key, value))
            while True:
                change = await changes.get()
                if change.key == prefix or not prefix or (prefix.endswith(".") and change.key.startswith(prefix)):
                    yield change
        finally:
            self._watchers.discard(changes)

    def _tell(self, change: Change) -> None:
        for changes in self._watchers:
            changes.put_nowait(change)


@dataclass(frozen=True, slots=True)
class MemoryObjects(Objects):
    """Large things that are small enough for tests."""

    _contents: dict[str, bytes] = field(default_factory=dict)

    async def put(self, key: str, content: AsyncIterator[bytes]) -> None:
        self._contents[key] = b"".join([piece async for piece in content])

    async def get(self, key: str) -> AsyncIterator[bytes]:
        yield self._contents[key]

    async def delete(self, key: str) -> None:
        self._contents.pop(key, None)
