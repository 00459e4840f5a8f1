"""The log, the rows and the buckets of a simulation: they outlive every process, which reaches them through effects."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from support.simulation.process import Process
from windlass_contracts.cloudevent import Proposed, Recorded
from windlass_contracts.event import Event
from windlass_contracts.ids import derived
from windlass_contracts.subjects import ALL_EVENTS, parse_subject
from windlass_eventlog.buckets import Change, Entry, KeyValue
from windlass_eventlog.errors import LogUnavailableError
from windlass_eventlog.log import EventLog, Expected
from windlass_eventlog.memory import MemoryKeyValue, MemoryLog, MemoryRows
from windlass_eventlog.message import StoredMessage, Stretch
from windlass_eventlog.projection import PATIENCE
from windlass_eventlog.vault import Vault

T = TypeVar("T")


def _no_answer() -> Exception:
    return LogUnavailableError("NATS did not answer.")


@dataclass(slots=True)
class SimulatedLog(MemoryLog):
    """Reads each event once, and tells `appended` of each new one."""

    appended: Callable[[Recorded[Event]], None] = lambda _: None
    _read: list[Recorded[Event]] = field(default_factory=list)
    _ends: dict[str, int] = field(default_factory=dict)

    async def append(self, proposed: Proposed[Event], expected: Expected) -> int:
        before = self.length
        sequence = await MemoryLog.append(self, proposed, expected)
        if self.length > before:
            subject = self._messages[sequence - 1].subject
            self._ends[parse_subject(subject)[1].pattern] = sequence
            self.appended(self.at(sequence))
        return sequence

    def at(self, sequence: int) -> Recorded[Event]:
        while len(self._read) < sequence:
            self._read.append(MemoryLog.at(self, len(self._read) + 1))
        return self._read[sequence - 1]

    def bodies(self) -> bytes:
        """Return everything that stands in the log."""
        return b"\n".join(message.body for message in self._messages)

    def _last(self, scope: str) -> int:
        known = self._ends.get(scope)
        return MemoryLog._last(self, scope) if known is None else known


@dataclass(frozen=True, slots=True)
class LogOf(EventLog):
    """The log, as one process reaches it."""

    log: SimulatedLog
    process: Process

    async def append(self, proposed: Proposed[Event], expected: Expected) -> int:
        what = f"append {proposed.event.TYPE} about {proposed.key.aggregate} {proposed.key.id.hex[:8]}"
        return await self.process.effect(what, lambda: self.log.append(proposed, expected), _no_answer)

    def read(self, after: int, pattern: str = ALL_EVENTS) -> AsyncGenerator[Recorded[Event], None]:
        return self.log.read(after, pattern)

    def stretches(self, after: int) -> AsyncGenerator[Stretch, None]:
        return self.log.stretches(after)

    async def message(self, sequence: int) -> StoredMessage:
        return await self.log.message(sequence)

    async def head(self) -> int:
        return await self.log.head()

    async def created(self) -> datetime:
        return await self.log.created()


@dataclass(slots=True)
class SimulatedRows(MemoryRows):
    """Rows that cost nothing where they have reached what is asked for already."""

    async def reached(self, sequence: int, patience: timedelta = PATIENCE) -> None:
        if self.position < sequence:
            await MemoryRows.reached(self, sequence, patience)


@dataclass(frozen=True, slots=True)
class BucketOf(KeyValue):
    """A bucket, as one process reaches it."""

    bucket: MemoryKeyValue
    process: Process

    async def create(self, key: str, value: bytes) -> int:
        return await self._effect(f"store {key[:8]}", lambda: self.bucket.create(key, value))

    async def put(self, key: str, value: bytes) -> None:
        await self._effect(f"store {key[:8]}", lambda: self.bucket.put(key, value))

    async def update(self, key: str, value: bytes, revision: int) -> int:
        return await self._effect(f"store {key[:8]}", lambda: self.bucket.update(key, value, revision))

    async def delete(self, key: str) -> None:
        await self._effect(f"delete {key[:8]}", lambda: self.bucket.delete(key))

    async def get(self, key: str) -> bytes | None:
        return await self.bucket.get(key)

    async def entry(self, key: str) -> Entry | None:
        return await self.bucket.entry(key)

    def keys(self, prefix: str = "") -> AsyncIterator[str]:
        return self.bucket.keys(prefix)

    def watch(self, prefix: str = "") -> AsyncGenerator[Change, None]:
        return self.bucket.watch(prefix)

    async def _effect(self, what: str, act: Callable[[], Awaitable[T]]) -> T:
        return await self.process.effect(what, act, _no_answer)


@dataclass(frozen=True, slots=True)
class SimulatedVault(Vault):
    """A vault whose ids are the same in each run of a history."""

    fresh: Callable[[], UUID] = lambda: derived("nobody")

    async def store(self, value: str) -> UUID:
        secret = self.fresh()
        await self.bucket.create(str(secret), self.keys.current().encrypt(value.encode()))
        return secret
