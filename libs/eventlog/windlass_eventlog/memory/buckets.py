"""Buckets and objects in memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from windlass_eventlog.buckets import KeyValue, Objects
from windlass_eventlog.errors import KeyTakenError


@dataclass(frozen=True, slots=True)
class MemoryKeyValue(KeyValue):
    """One bucket."""

    _values: dict[str, bytes] = field(default_factory=dict)

    async def create(self, key: str, value: bytes) -> None:
        if key in self._values:
            raise KeyTakenError(key)
        self._values[key] = value

    async def get(self, key: str) -> bytes | None:
        return self._values.get(key)

    async def delete(self, key: str) -> None:
        self._values.pop(key, None)

    async def keys(self) -> AsyncIterator[str]:
        for key in sorted(self._values):
            yield key


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
