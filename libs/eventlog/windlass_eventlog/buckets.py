"""Ports to what lies beside the log: key-value buckets for what must be deletable, an object store for large things."""

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Protocol


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


class KeyValue(Protocol):
    """One bucket."""

    async def create(self, key: str, value: bytes) -> None:
        """Store a value under a new key.

        Raises:
            KeyTakenError: the key exists.
        """
        ...

    async def get(self, key: str) -> bytes | None:
        """Return the value, or None where there is none (any more)."""
        ...

    async def delete(self, key: str) -> None:
        """Delete the value and all that the bucket remembers of it."""
        ...

    def keys(self) -> AsyncIterator[str]:
        """Yield all keys."""
        ...


class Objects(Protocol):
    """Large things, by key."""

    async def put(self, key: str, content: AsyncIterator[bytes]) -> None:
        """Store what the iterator yields; nothing is visible under the key before its end."""
        ...

    def get(self, key: str) -> AsyncIterator[bytes]:
        """Yield the content in pieces.

        Raises:
            KeyError: there is none.
        """
        ...

    async def delete(self, key: str) -> None:
        """Delete the content."""
        ...
