"""Archives that somebody else made. All of it blocks: call it in a thread."""

import errno
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from windlass_builder.application.runtime_errors import BuildPathTooLongError, BuildSourceError

_LONGEST_NAME = 255
_LONGEST_PATH = 4_000  # of Linux' 4,095; what stands before it in a release is short
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextmanager
def readable_tar(source: Path) -> Iterator[tarfile.TarFile]:
    """Yield the tar, read from its beginning to its end.

    Raises:
        BuildSourceError: it is none, or cannot be unpacked, at whichever place that turns out.
        OSError: the disk is full.
    """
    try:
        with tarfile.open(source, "r|") as files:
            yield files
    except tarfile.TarError as error:
        raise BuildSourceError(str(error)) from error
    except OSError as error:
        if error.errno in _FULL:
            raise
        raise BuildSourceError(str(error)) from error


def require_writable(entry: tarfile.TarInfo) -> None:
    """Raise BuildPathTooLongError where a name, the whole path, or a link's target is longer than file systems take."""
    name, target = os.fsencode(entry.name), os.fsencode(entry.linkname)
    if max(len(name), len(target)) > _LONGEST_PATH or any(len(part) > _LONGEST_NAME for part in name.split(b"/")):
        raise BuildPathTooLongError(entry.name)


def unpack(source: Path, folder: Path, stopped: Callable[[], bool] = lambda: False) -> None:
    """Unpack the tar into the new folder, until stopped.

    Raises: as `readable_tar`, also where something in it would lie or point outside; BuildPathTooLongError.
    """
    folder.mkdir(parents=True)
    with readable_tar(source) as files:
        files.errorlevel = 2  # a link that cannot be made is no small matter
        for entry in files:
            if stopped():
                return
            require_writable(entry)
            # tarfile's own filters came with Python 3.11.4; Debian 12 has 3.11.2.
            if not _stays_inside(entry, folder):
                raise BuildSourceError(entry.name)
            entry.uid, entry.gid, entry.uname, entry.gname = os.geteuid(), os.getegid(), "", ""
            entry.mode &= 0o755
            files.extract(entry, folder)


def _stays_inside(entry: tarfile.TarInfo, folder: Path) -> bool:
    """Return whether the entry is a file, folder or link that neither lies nor points outside of the folder."""
    if not (entry.isreg() or entry.isdir() or entry.issym()):
        return False
    place = Path(os.path.normpath(folder / entry.name))
    if not place.is_relative_to(folder) or not place.parent.resolve().is_relative_to(folder.resolve()):
        return False
    target = Path(os.path.normpath(place.parent / entry.linkname))
    return not entry.issym() or target.is_relative_to(folder)
