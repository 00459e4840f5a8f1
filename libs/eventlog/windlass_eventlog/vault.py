"""Values of variables, encrypted at rest and deletable: the log knows only their ids."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import UUID, uuid4

from cryptography.fernet import InvalidToken

from windlass_eventlog.buckets import KeyValue
from windlass_eventlog.errors import KeyChangedError, SecretShreddedError, SecretUnreadableError
from windlass_eventlog.keys import KeyRing, Keys
from windlass_eventlog.keys_file import KeysFile

__all__ = ["SecretShreddedError", "SecretUnreadableError", "Vault"]


@dataclass(frozen=True, slots=True)
class Vault:
    """Stores each value once, under a random id; the newest key encrypts, every key decrypts.

    Keys may be rotated meanwhile, by this process or another: whoever stores reads the keys anew before and after,
    and whoever meets a value that the keys known here do not open reads them anew then.
    """

    bucket: KeyValue
    keys: Keys

    @classmethod
    def opened(cls, bucket: KeyValue, keys_file: Path) -> Self:
        """Take the keys from a file, one a line, the newest first.

        Raises:
            KeysUnusableError: there are none, or one is no Fernet key.
        """
        return cls(bucket, KeysFile(keys_file))

    async def store(self, value: str) -> UUID:
        """Encrypt a value and return its new id; name the id in an event only afterwards.

        Raises:
            KeysUnusableError: the keys file cannot be read any more.
        """
        secret, plain = uuid4(), value.encode()
        ring = self.keys.current()
        revision = await self.bucket.create(str(secret), ring.encrypt(plain))
        await self._keep_newest(secret, plain, ring, revision)
        return secret

    async def _keep_newest(self, secret: UUID, plain: bytes, ring: KeyRing, revision: int) -> None:
        """Encrypt again with a key that came meanwhile: its rotation may have looked before the value was there."""
        while (newer := self.keys.current()).newest != ring.newest:
            try:
                revision = await self.bucket.update(str(secret), newer.encrypt(plain), revision)
            except KeyChangedError:
                return  # the rotation did see it
            ring = newer

    async def reveal(self, secret: UUID) -> str:
        """Return a value.

        Raises:
            SecretShreddedError: it was deleted.
            SecretUnreadableError: it was encrypted with a key that is not among ours.
            KeysUnusableError: the keys known here do not open it, and their file cannot be read any more.
        """
        token = await self._token(secret)
        try:
            return self.keys.known.decrypt(token).decode()
        except InvalidToken:
            return await self._reveal_anew(secret, token)

    async def _reveal_anew(self, secret: UUID, token: bytes) -> str:
        """Open a value with the keys of now; one that was encrypted again in between is read again."""
        while True:
            ring, before = self.keys.current(), token
            try:
                return ring.decrypt(token).decode()
            except InvalidToken as error:
                token = await self._token(secret)
                if token == before:
                    raise SecretUnreadableError(secret) from error

    async def _token(self, secret: UUID) -> bytes:
        token = await self.bucket.get(str(secret))
        if token is None:
            raise SecretShreddedError(secret)
        return token

    async def has(self, secret: UUID) -> bool:
        """Tell whether a value is there, whoever could open it."""
        return await self.bucket.get(str(secret)) is not None

    async def shred(self, secret: UUID) -> None:
        """Delete a value for good; deleting it twice is no mistake."""
        await self.bucket.delete(str(secret))
