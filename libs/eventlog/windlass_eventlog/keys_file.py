"""Files of Fernet keys: one a line, the newest first."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography.fernet import MultiFernet

from windlass_eventlog.errors import KeysChangingError, KeysUnusableError
from windlass_eventlog.keys import KeyRing


def read_keys(keys_file: Path) -> MultiFernet:
    """Return the keys of a file.

    Raises:
        KeysUnusableError: there are none, or one is no Fernet key.
    """
    return read_ring(keys_file).together


def read_ring(keys_file: Path) -> KeyRing:
    """Return the keys of a file.

    Raises:
        KeysUnusableError: there are none, or one is no Fernet key.
    """
    try:
        lines = keys_file.read_text(encoding="ascii").split()
    except (OSError, UnicodeError) as error:
        raise KeysUnusableError(keys_file, "it cannot be read") from error
    if not lines:
        raise KeysUnusableError(keys_file, "it holds no key")
    try:
        return KeyRing(lines)
    except ValueError:  # its message could quote the key
        raise KeysUnusableError(keys_file, "one of its lines is no Fernet key") from None


class KeysFile:
    """The keys of a file that is replaced when keys are rotated."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            KeysUnusableError: it cannot be used.
        """
        self.path = path
        self._known = read_ring(path)

    @property
    def known(self) -> KeyRing:
        return self._known

    def current(self) -> KeyRing:
        self._known = read_ring(self.path)
        return self._known

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Hold a lock beside the file, which the kernel lets go of when a process ends, however it ends."""
        lock = self.path.with_name(f"{self.path.name}.lock")
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise KeysUnusableError(self.path, _unwritable(error), _MAKE_WRITABLE) from error
        try:
            _lock(descriptor, self.path)
            yield
        finally:
            os.close(descriptor)

    def replace(self, ring: KeyRing, expected: KeyRing) -> None:
        """Write another file in its place: a crash leaves the old one or the new one.

        What a crash leaves half written bears one name, is readable by its owner alone, and is removed the next time.
        """
        if self.current().lines != expected.lines:
            raise KeysUnusableError(self.path, "somebody else changed it meanwhile", "Rotate the keys again to go on.")
        temporary = self.path.with_name(f".{self.path.name}.new")
        try:
            _write(temporary, ring)
            _keep_owner(self.path, temporary)
            temporary.replace(self.path)
            _sync_folder(self.path.parent)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise KeysUnusableError(self.path, _unwritable(error), _MAKE_WRITABLE) from error


def _lock(descriptor: int, keys_file: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise KeysChangingError(keys_file) from error


def _write(temporary: Path, ring: KeyRing) -> None:
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write("".join(f"{line}\n" for line in ring.lines))
        file.flush()
        os.fsync(file.fileno())


_MAKE_WRITABLE = "Let the user that the gateway runs as write the file and its folder, and try again."


def _unwritable(error: OSError) -> str:
    return f"it cannot be replaced ({error.strerror})"


def _keep_owner(keys_file: Path, temporary: Path) -> None:
    """Let those read the new file who could read the old one: other services may run as another user."""
    before = keys_file.stat()
    mine = temporary.stat()
    if (before.st_uid, before.st_gid) != (mine.st_uid, mine.st_gid):
        os.chown(temporary, before.st_uid, before.st_gid)
    temporary.chmod(before.st_mode & 0o640)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
