"""Rotating the keys of a vault: a new key first, then every value again, then the old keys go.

How far it is stands in the keys file and in the values themselves: whoever is killed leaves nothing that the next one
could not go on with. The new key is in the file before the first value is encrypted with it, so that every service can
read it there; the old keys leave the file once every value was seen to be encrypted with the new one. A value that is
stored meanwhile is brought to the newest key by whoever stores it (see `Vault`).
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from uuid import UUID

from windlass_eventlog.buckets import KeyValue, ids_of
from windlass_eventlog.errors import KeyChangedError
from windlass_eventlog.keys import KeyRing, Keys, fingerprint
from windlass_eventlog.vault import Vault

_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Rotation:
    """How far a rotation is: `looked_at` of `values`; once `done`, `retired` keys are gone from the file.

    A value that none of the keys opens is `unreadable`: as long as there is one, no key is retired.
    """

    key: str
    values: int
    resumed: bool
    looked_at: int = 0
    encrypted: int = 0
    unreadable: tuple[UUID, ...] = ()
    retired: int = 0
    done: bool = False


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A key, by its fingerprint, and how many values are encrypted with it."""

    key: str
    values: int


class _Found(Enum):
    NEWEST = auto()
    ENCRYPTED = auto()
    SHREDDED = auto()
    UNREADABLE = auto()


async def rotate(vault: Vault) -> AsyncGenerator[Rotation, None]:
    """Rotate, and yield how far it is; goes on with a rotation that was begun before, if there is one.

    Raises:
        KeysChangingError: another one is under way at this moment.
        KeysUnusableError: the keys cannot be read or replaced.
        LogUnavailableError: the bucket does not answer; run it again to go on.
    """
    with vault.keys.exclusively():
        before = vault.keys.current()
        resumed = len(before.lines) > 1
        ring = before if resumed else KeyRing([*KeyRing.generated().lines, *before.lines])
        if not resumed:
            vault.keys.replace(ring, before)
        names = await ids_of(vault.bucket)
        state = Rotation(fingerprint(ring.newest), len(names), resumed)
        yield state
        for some in _portions(names):
            found = await asyncio.gather(*(_encrypt_again(vault.bucket, ring, name) for name in some))
            state = _counted(state, list(zip(some, found, strict=True)))
            yield state
        retired = 0 if state.unreadable else _retire(vault.keys, ring)
        yield replace(state, retired=retired, done=True)


async def uses(vault: Vault) -> tuple[Sequence[KeyUse], Sequence[UUID]]:
    """Return how many values each key encrypts, the newest key first, and the values that none of them opens."""
    ring = vault.keys.current()
    counts, unreadable = [0] * len(ring.lines), []
    for some in _portions(await ids_of(vault.bucket)):
        tokens = await asyncio.gather(*(vault.bucket.get(str(name)) for name in some))
        for name, token in zip(some, tokens, strict=True):
            place = None if token is None else ring.opening(token)
            if place is not None:
                counts[place] += 1
            elif token is not None:
                unreadable.append(name)
    return [KeyUse(fingerprint(line), count) for line, count in zip(ring.lines, counts, strict=True)], unreadable


def _portions(names: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    return (names[start : start + _AT_ONCE] for start in range(0, len(names), _AT_ONCE))


async def _encrypt_again(bucket: KeyValue, ring: KeyRing, name: UUID) -> _Found:
    while True:
        entry = await bucket.entry(str(name))
        if entry is None:
            return _Found.SHREDDED
        place = ring.opening(entry.value)
        if place is None:
            return _Found.UNREADABLE
        if place == 0:
            return _Found.NEWEST
        try:
            await bucket.update(str(name), ring.encrypt(ring.decrypt(entry.value)), entry.revision)
        except KeyChangedError:
            continue  # shredded meanwhile, or encrypted by whoever stored it
        return _Found.ENCRYPTED


def _counted(state: Rotation, found: Sequence[tuple[UUID, _Found]]) -> Rotation:
    return replace(
        state,
        looked_at=state.looked_at + len(found),
        encrypted=state.encrypted + sum(one is _Found.ENCRYPTED for _, one in found),
        unreadable=(*state.unreadable, *(name for name, one in found if one is _Found.UNREADABLE)),
    )


def _retire(keys: Keys, ring: KeyRing) -> int:
    keys.replace(KeyRing([ring.newest]), ring)
    return len(ring.lines) - 1
