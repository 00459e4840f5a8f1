"""Archives that somebody else made."""

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from windlass_builder.application.runtime_errors import BuildSourceError


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
