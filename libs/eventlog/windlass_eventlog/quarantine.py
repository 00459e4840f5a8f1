"""Events that an operator lets one service pass over, because it can never read or apply them.

The list lies in the bucket QUARANTINE, under `<service>.<sequence>`; only the gateway writes it, and an entry is never
taken back: rows that are rebuilt later pass over the same events as the live ones did.
"""

import asyncio
from collections.abc import Container
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import NoReturn, Self

import structlog

from windlass_contracts.subjects import Service
from windlass_eventlog.buckets import KeyValue

_log = structlog.get_logger(__name__)


def quarantine_key(service: Service, sequence: int) -> str:
    """Return where the entry of an event lies in the bucket."""
    return f"{service}.{sequence}"


@dataclass(slots=True)
class Quarantine(Container[int]):
    """The sequences that one service passes over, as far as this process has heard. Made by `opened`."""

    bucket: KeyValue
    service: Service
    _sequences: set[int] = field(default_factory=set)
    _grown: asyncio.Condition = field(default_factory=asyncio.Condition)

    @classmethod
    async def opened(cls, bucket: KeyValue, service: Service) -> Self:
        """Read the list as it is.

        Raises:
            LogUnavailableError: NATS did not answer.
        """
        quarantine = cls(bucket, service)
        async for key in bucket.keys(f"{service}."):
            await quarantine._take(key)
        return quarantine

    def __contains__(self, sequence: object) -> bool:
        return sequence in self._sequences

    def sequences(self) -> frozenset[int]:
        """Return the list as it is now."""
        return frozenset(self._sequences)

    async def entered(self, sequence: int) -> None:
        """Wait until an event is on the list. Needs `follow` beside it."""
        async with self._grown:
            await self._grown.wait_for(lambda: sequence in self._sequences)

    async def follow(self) -> NoReturn:
        """Hear of every new entry, for ever.

        Raises:
            NotProvisionedError: the bucket is gone.
        """
        async with aclosing(self.bucket.watch(f"{self.service}.")) as changes:
            async for change in changes:
                await self._take(change.key)
        raise AssertionError  # a watch ends by an error only

    async def _take(self, key: str) -> None:
        service, _, sequence = key.partition(".")
        if service != self.service:
            return
        if not sequence.isdecimal():
            _log.error("quarantine.unreadable_key", key=key, why="it names no sequence: it is left alone")
            return
        async with self._grown:
            self._sequences.add(int(sequence))
            self._grown.notify_all()
