"""Rotating keys: every value under the new one, none lost, none brought back, wherever it was cut short."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from windlass_eventlog.errors import KeysChangingError, KeysUnusableError
from windlass_eventlog.key_rotation import Rotation, rotate, uses
from windlass_eventlog.keys import KeyRing
from windlass_eventlog.keys_file import KeysFile, read_ring
from windlass_eventlog.memory import MemoryKeyValue
from windlass_eventlog.memory.keys import MemoryKeys
from windlass_eventlog.vault import SecretShreddedError, Vault


class KilledError(Exception):
    """Stands for a kill."""


async def killing() -> AsyncIterator[None]:
    for _ in range(1):
        raise KilledError
    yield


@dataclass(frozen=True, slots=True)
class Between(MemoryKeyValue):
    """A bucket in which something happens just before the n-th update or create."""

    happens: dict[int, AsyncIterator[None]] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)

    async def update(self, key: str, value: bytes, revision: int) -> int:
        await self._happen(key)
        return await MemoryKeyValue.update(self, key, value, revision)

    async def create(self, key: str, value: bytes) -> int:
        await self._happen(key)
        return await MemoryKeyValue.create(self, key, value)

    async def _happen(self, key: str) -> None:
        self.written.append(key)
        event = self.happens.get(len(self.written))
        if event is not None:
            await anext(event, None)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "secrets.keys"
    path.touch(0o600)
    path.write_text(KeyRing.generated().newest)
    return path


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def names_beside(path: Path) -> set[str]:
    return {one.name for one in path.parent.iterdir()}


def content_of(path: Path) -> bytes:
    return path.read_bytes()


@pytest.fixture(params=[b"", b"no key at all"])
def damaged(keys: Path, request: pytest.FixtureRequest) -> Path:
    keys.write_bytes(request.param)
    return keys


async def rotated(bucket: MemoryKeyValue, keys: Path) -> Rotation:
    *_, last = [state async for state in rotate(Vault.opened(bucket, keys))]
    return last


async def stored(vault: Vault, count: int) -> dict[UUID, str]:
    return {await vault.store(f"value {number}"): f"value {number}" for number in range(count)}


async def test_every_value_is_encrypted_with_the_new_key_and_the_old_one_is_gone(keys: Path) -> None:
    bucket = MemoryKeyValue()
    vault, before = Vault.opened(bucket, keys), read_ring(keys)
    values = await stored(vault, 70)

    last = await rotated(bucket, keys)

    after = read_ring(keys)
    assert (last.done, last.values, last.looked_at, last.encrypted, last.retired) == (True, 70, 70, 70, 1)
    assert len(after.lines) == 1
    assert after.newest != before.newest
    assert {secret: await Vault(bucket, MemoryKeys(after)).reveal(secret) for secret in values} == values
    assert mode_of(keys) == 0o600
    assert names_beside(keys) == {keys.name, f"{keys.name}.lock"}


async def test_services_that_run_meanwhile_read_what_was_encrypted_with_a_key_they_never_saw(keys: Path) -> None:
    bucket = MemoryKeyValue()
    gateway, builder = Vault.opened(bucket, keys), Vault.opened(bucket, keys)
    values = await stored(gateway, 3)

    async for _ in rotate(Vault.opened(bucket, keys)):
        assert {secret: await builder.reveal(secret) for secret in values} == values

    later = await gateway.store("later")
    assert await builder.reveal(later) == "later"


@pytest.mark.parametrize("killed_at", range(1, 6))
async def test_a_rotation_that_is_killed_goes_on_where_it_was(keys: Path, killed_at: int) -> None:
    bucket = Between()
    values = await stored(Vault.opened(bucket, keys), 5)
    bucket.happens[len(values) + killed_at] = killing()
    with pytest.raises(KilledError):
        await rotated(bucket, keys)
    begun = read_ring(keys)
    assert len(begun.lines) == 2
    assert {secret: await Vault.opened(bucket, keys).reveal(secret) for secret in values} == values

    last = await rotated(bucket, keys)

    assert (last.resumed, last.done, last.retired) == (True, True, 1)
    assert read_ring(keys).lines == begun.lines[:1]
    assert {secret: await Vault.opened(bucket, keys).reveal(secret) for secret in values} == values


async def test_a_value_shredded_meanwhile_stays_shredded(keys: Path) -> None:
    bucket = Between()
    vault = Vault.opened(bucket, keys)
    secret, other = await vault.store("precious"), await vault.store("other")

    async def shred() -> AsyncIterator[None]:
        await vault.shred(secret)
        yield

    bucket.happens[3] = bucket.happens[4] = shred()
    assert (await rotated(bucket, keys)).done
    with pytest.raises(SecretShreddedError):
        await vault.reveal(secret)
    assert await vault.reveal(other) == "other"


async def test_a_value_that_is_being_stored_while_keys_rotate_is_not_lost(keys: Path) -> None:
    """It was encrypted with the old key, and arrives once the rotation has looked at everything and ended."""
    bucket = Between()

    async def rotate_now() -> AsyncIterator[None]:
        assert (await rotated(bucket, keys)).retired == 1
        yield

    bucket.happens[1] = rotate_now()
    vault = Vault.opened(bucket, keys)
    secret = await vault.store("late")

    assert len(read_ring(keys).lines) == 1
    assert await Vault(bucket, MemoryKeys(read_ring(keys))).reveal(secret) == "late"


async def test_a_value_that_no_key_opens_is_named_and_keeps_the_old_keys(keys: Path) -> None:
    bucket = MemoryKeyValue()
    values = await stored(Vault.opened(bucket, keys), 3)
    lost = uuid4()
    await bucket.create(str(lost), KeyRing.generated().encrypt(b"of another installation"))

    last = await rotated(bucket, keys)

    assert (last.done, last.encrypted, last.unreadable, last.retired) == (True, 3, (lost,), 0)
    used, unreadable = await uses(Vault.opened(bucket, keys))
    assert [use.values for use in used] == [3, 0]
    assert used[0].key == last.key
    assert unreadable == [lost]

    await bucket.delete(str(lost))
    again = await rotated(bucket, keys)
    assert (again.resumed, again.encrypted, again.retired) == (True, 0, 1)
    assert {secret: await Vault.opened(bucket, keys).reveal(secret) for secret in values} == values


async def test_two_rotations_at_once_are_refused(keys: Path) -> None:
    bucket, before = MemoryKeyValue(), read_ring(keys).lines
    with KeysFile(keys).exclusively(), pytest.raises(KeysChangingError, match="already"):
        await rotated(bucket, keys)
    assert read_ring(keys).lines == before


async def test_a_damaged_file_is_not_touched(damaged: Path) -> None:
    before = content_of(damaged)
    with pytest.raises(KeysUnusableError, match=r"secrets\.keys"):
        await rotated(MemoryKeyValue(), damaged)
    assert content_of(damaged) == before


async def test_a_file_that_cannot_be_replaced_is_said_before_anything_is_encrypted(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = MemoryKeyValue()
    vault, before = Vault.opened(bucket, keys), content_of(keys)
    secret = await vault.store("value")
    token = await bucket.get(str(secret))

    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(KeysUnusableError, match=r"Read-only file system.*write the file and its folder"):
        await rotated(bucket, keys)
    assert (content_of(keys), await bucket.get(str(secret))) == (before, token)
    assert await vault.reveal(secret) == "value"


async def test_keys_that_somebody_changed_meanwhile_are_left_alone(keys: Path) -> None:
    bucket = MemoryKeyValue()
    await Vault.opened(bucket, keys).store("value")
    added = KeyRing.generated().newest
    rotation = rotate(Vault.opened(bucket, keys))
    await anext(rotation)
    KeysFile(keys).replace(KeyRing([*read_ring(keys).lines, added]), read_ring(keys))
    await anext(rotation)
    with pytest.raises(KeysUnusableError, match="somebody else changed it"):
        await anext(rotation)
    assert added in read_ring(keys).lines


async def test_a_key_is_never_printed(keys: Path) -> None:
    ring = read_ring(keys)
    assert ring.newest not in repr(ring)
    assert ring.newest not in repr(Vault.opened(MemoryKeyValue(), keys))
