"""Archives that somebody else made."""

import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from windlass_builder.application.runtime_errors import BuildPathTooLongError, BuildSourceError

_LONGEST_NAME = 255
_LONGEST_PATH = 4_000  # of Linux' 4,095; what stands before it in a release is short


@contextmanager
def readable_tar(source: Path) -> Iterator[tarfile.TarFile]:
    """Yield the tar, read from its beginning to its end.

    Raises: BuildSourceError, at whichever place it turns out to be none.
    """
    try:
        with tarfile.open(source, "r|") as files:
            yield files
    except tarfile.TarError as error:
        raise BuildSourceError(str(error)) from error


def require_writable(name: str) -> None:
    """Raise BuildPathTooLongError where the path's name, or the whole, is longer than file systems take."""
    encoded = os.fsencode(name)
    if len(encoded) > _LONGEST_PATH or any(len(part) > _LONGEST_NAME for part in encoded.split(b"/")):
        raise BuildPathTooLongError(name)
