"""Files of Fernet keys: one a line, the newest first. The first key encrypts, every key decrypts.

Source of the format: https://github.com/fernet/spec.
"""

from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet, MultiFernet

from windlass_eventlog.errors import KeysUnusableError


def read_keys(keys_file: Path) -> MultiFernet:
    """Return the keys of a file.

    Raises:
        KeysUnusableError: there are none, or one is no Fernet key.
    """
    try:
        lines = keys_file.read_text(encoding="ascii").split()
    except (OSError, UnicodeError) as error:
        raise KeysUnusableError(keys_file, "it cannot be read") from error
    return _keys(keys_file, lines)


def _keys(keys_file: Path, lines: Sequence[str]) -> MultiFernet:
    if not lines:
        raise KeysUnusableError(keys_file, "it holds no key")
    try:
        return MultiFernet([Fernet(line) for line in lines])
    except ValueError:  # its message could quote the key
        raise KeysUnusableError(keys_file, "one of its lines is no Fernet key") from None
