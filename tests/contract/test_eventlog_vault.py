"""Secrets: encrypted by the newest key, opened by any, gone once shredded."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from windlass_eventlog.errors import KeysUnusableError, SecretShreddedError, SecretUnreadableError
from windlass_eventlog.memory import MemoryKeyValue
from windlass_eventlog.vault import Vault


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    file = tmp_path / "keys"
    file.write_bytes(Fernet.generate_key() + b"\n")
    return file


async def test_a_value_is_stored_once_encrypted_and_revealed_as_it_was(keys: Path) -> None:
    bucket = MemoryKeyValue()
    vault = Vault.opened(bucket, keys)

    first, second = await vault.store("hünter2\n\x00"), await vault.store("hünter2\n\x00")

    assert first != second
    assert await vault.reveal(first) == await vault.reveal(second) == "hünter2\n\x00"
    stored = await bucket.get(str(first))
    assert stored is not None
    assert b"nter2" not in stored


def write_rotated(old: Path, both: Path, newest: Path) -> None:
    newest.write_bytes(Fernet.generate_key())
    both.write_bytes(newest.read_bytes() + b"\n" + old.read_bytes())


async def test_keys_rotate_and_old_values_stay_readable(keys: Path) -> None:
    bucket, both, newest = MemoryKeyValue(), keys.with_name("both"), keys.with_name("newest")
    write_rotated(keys, both, newest)
    before = await Vault.opened(bucket, keys).store("before")
    vault = Vault.opened(bucket, both)
    after = await vault.store("after")

    assert (await vault.reveal(before), await vault.reveal(after)) == ("before", "after")

    without_old = Vault.opened(bucket, newest)
    assert await without_old.reveal(after) == "after"
    with pytest.raises(SecretUnreadableError, match=str(before)):
        await without_old.reveal(before)


async def test_a_shredded_value_is_refused_by_its_id(keys: Path) -> None:
    vault = Vault.opened(MemoryKeyValue(), keys)
    secret = await vault.store("value")
    await vault.shred(secret)
    await vault.shred(secret)

    with pytest.raises(SecretShreddedError, match=str(secret)) as error:
        await vault.reveal(secret)
    assert error.value.secret == secret


@pytest.mark.parametrize("content", [b"", b"\n\n", b"not a key", b"\xff\xfe", b"x" * 40])
def test_a_damaged_keys_file_is_named_and_never_quoted(keys: Path, content: bytes) -> None:
    keys.write_bytes(content)

    with pytest.raises(KeysUnusableError) as error:
        Vault.opened(MemoryKeyValue(), keys)

    assert str(keys) in str(error.value)
    assert not content.strip() or content.decode("latin-1").strip() not in str(error.value)


def test_a_missing_keys_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeysUnusableError, match="cannot be read"):
        Vault.opened(MemoryKeyValue(), tmp_path / "none")
