"""Ports to what lies beside the log: key-value buckets for what must be deletable, an object store for large things."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Bucket(StrEnum):
    """The key-value buckets."""

    SECRETS = "SECRETS"
    """Values of variables, encrypted, by secret id."""

    PEOPLE = "PEOPLE"
    """Names and addresses, by person id."""

    NOTES = "NOTES"
    """Texts that people wrote, by note id."""

    QUARANTINE = "QUARANTINE"
    """Events that an operator lets a service pass over, by service and sequence; an entry is never taken back."""

    OPERATIONS = "OPERATIONS"
    """What operators ask services to do (rebuild, verify), and how far they are."""

    NODES = "NODES"
    """What each node is at: who is built, who waits and why, and what it has left (`nodes.NodeState`)."""

    SERIES = "SERIES"
    """How each environment answered the monitor's probes (`windlass_contracts.series`), by project and environment."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a key holds now; None where it was deleted."""

    key: str
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A value, the revision that it is, and when the server took it."""

    value: bytes
    revision: int
    stored_at: datetime


class KeyValue(Protocol):
    """One bucket."""

    async def create(self, key: str, value: bytes) -> int:
        """Store a value under a new key, and return its revision.

        Raises:
            KeyTakenError: the key exists.
        """
        ...

    async def put(self, key: str, value: bytes) -> None:
        """Store a value under a key, whatever was there before."""
        ...

    async def get(self, key: str) -> bytes | None:
        """Return the value, or None where there is none (any more)."""
        ...

    async def entry(self, key: str) -> Entry | None:
        """Return the value as whoever decides about it needs it: never one that was replaced or deleted before."""
        ...

    async def update(self, key: str, value: bytes, revision: int) -> int:
        """Replace the value that is this revision, and return the new one's.

        Raises:
            KeyChangedError: it was replaced or deleted meanwhile; nothing was stored.
        """
        ...

    async def delete(self, key: str) -> None:
        """Delete the value and all that the bucket remembers of it."""
        ...

    def keys(self, prefix: str = "") -> AsyncIterator[str]:
        """Yield all keys that have a value and begin like that, as `watch` understands it."""
        ...

    def watch(self, prefix: str = "") -> AsyncGenerator[Change, None]:
        """Yield what is there, then what comes, in the order in which it was stored.

        `prefix` is a key, or what keys begin with up to and with a dot (`answer.`), or empty for all of them.
        What was replaced before it could be read is left out. Survives reconnects; ends only by being closed.

        Raises:
            NotProvisionedError: the bucket is gone.
        """
        ...


async def ids_of(bucket: KeyValue) -> list[UUID]:
    """Return the keys of a bucket whose keys are ids. Others are not of our making, and nothing refers to them."""
    return [UUID(key) async for key in bucket.keys() if _ID.fullmatch(key)]  # noqa: SIM118 - a bucket is no dictionary


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What is stored under a key: how many bytes, and when its last one came."""

    key: str
    size: int
    stored_at: datetime


class Objects(Protocol):
    """Large things, by key."""

    async def put(self, key: str, content: AsyncIterator[bytes]) -> None:
        """Store what the iterator yields; nothing is visible under the key before its end.

        Raises:
            StoreFullError: there is no room for it; nothing of it stays.
        """
        ...

    async def room(self) -> int:
        """Return how many bytes can still be put; something like 1 in 1,000 goes into what the store notes of them."""
        ...

    def get(self, key: str) -> AsyncIterator[bytes]:
        """Yield the content in pieces.

        Raises:
            KeyError: there is none.
        """
        ...

    async def size(self, key: str) -> int | None:
        """Return how many bytes the content has; None where there is none."""
        ...

    async def delete(self, key: str) -> None:
        """Delete the content."""
        ...

    def all(self, prefix: str = "") -> AsyncIterator[StoredObject]:
        """Yield all that is stored now under keys that begin like that."""
        ...

    async def clear_pieces(self, before: datetime) -> int:
        """Delete the pieces of what began to be put before that time and was never whole; return of how many things.

        What is being put for longer than that is lost with them.
        """
        ...
