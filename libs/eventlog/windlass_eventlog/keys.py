"""Keys of a vault: the newest encrypts, every one decrypts.

Source of the format: https://github.com/fernet/spec.
"""

import hashlib
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol, Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class KeyRing:
    """Keys that do not change. Never shown: what is printed of them is their fingerprints."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Take the keys, the newest first.

        Raises:
            ValueError: there are none, or one is no Fernet key; the message could quote it.
        """
        self.lines = tuple(lines)
        self.fernets = tuple(Fernet(line) for line in self.lines)
        self.together = MultiFernet(self.fernets)

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(map(fingerprint, self.lines))})"

    @classmethod
    def generated(cls) -> Self:
        """Return one new key."""
        return cls([Fernet.generate_key().decode()])

    @property
    def newest(self) -> str:
        """The key that encrypts, as it stands in its file."""
        return self.lines[0]

    def encrypt(self, plain: bytes) -> bytes:
        return self.fernets[0].encrypt(plain)

    def decrypt(self, token: bytes) -> bytes:
        """Return what was encrypted with any of the keys.

        Raises:
            InvalidToken: with none of them.
        """
        return self.together.decrypt(token)

    def opening(self, token: bytes) -> int | None:
        """Return the place of the key that opens the token, the newest being 0; None where none does."""
        return next((place for place, key in enumerate(self.fernets) if _opens(key, token)), None)


class Keys(Protocol):
    """Keys that may change while they are used."""

    @property
    def known(self) -> KeyRing:
        """The keys as they were last seen."""
        ...

    def current(self) -> KeyRing:
        """Return the keys as they are at this moment.

        Raises:
            KeysUnusableError: they cannot be had.
        """
        ...

    def exclusively(self) -> AbstractContextManager[None]:
        """Be the only one who replaces the keys, for as long as the block lasts.

        Raises:
            KeysChangingError: somebody else is at it.
            KeysUnusableError: they cannot be replaced.
        """
        ...

    def replace(self, ring: KeyRing, expected: KeyRing) -> None:
        """Replace the keys, durably; call it within `exclusively`.

        Raises:
            KeysUnusableError: they cannot be replaced, or are not the expected ones; they are what they were.
        """
        ...


def fingerprint(line: str) -> str:
    """Return what tells keys apart and says nothing about them: 256 random bits are behind it."""
    return hashlib.sha256(line.encode()).hexdigest()[:12]


def _opens(key: Fernet, token: bytes) -> bool:
    try:
        key.decrypt(token)
    except InvalidToken:
        return False
    return True
