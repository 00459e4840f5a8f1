"""Values of variables, encrypted at rest and deletable: the log knows only their ids."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import UUID, uuid4

from cryptography.fernet import InvalidToken, MultiFernet

from windlass_eventlog.buckets import KeyValue
from windlass_eventlog.errors import SecretShreddedError, SecretUnreadableError
from windlass_eventlog.keys_file import read_keys

__all__ = ["SecretShreddedError", "SecretUnreadableError", "Vault"]


@dataclass(frozen=True, slots=True)
class Vault:
    """Stores each value once, under a random id; the first key encrypts, every key decrypts.

    Source of the format: https://github.com/fernet/spec.
    """

    bucket: KeyValue
    keys: MultiFernet

    @classmethod
    def opened(cls, bucket: KeyValue, keys_file: Path) -> Self:
        """Take the keys from a file, one a line, the newest first.

        Raises:
            KeysUnusableError: there are none, or one is no Fernet key.
        """
        return cls(bucket, read_keys(keys_file))

    async def store(self, value: str) -> UUID:
        """Encrypt a value and return its new id; name the id in an event only afterwards."""
        secret = uuid4()
        await self.bucket.create(str(secret), self.keys.encrypt(value.encode()))
        return secret

    async def reveal(self, secret: UUID) -> str:
        """Return a value.

        Raises:
            SecretShreddedError: it was deleted.
            SecretUnreadableError: it was encrypted with a key that is not among ours.
        """
        token = await self.bucket.get(str(secret))
        if token is None:
            raise SecretShreddedError(secret)
        try:
            return self.keys.decrypt(token).decode()
        except InvalidToken as error:
            raise SecretUnreadableError(secret) from error

    async def shred(self, secret: UUID) -> None:
        """Delete a value for good; deleting it twice is no mistake."""
        await self.bucket.delete(str(secret))
