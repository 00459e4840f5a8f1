"""Trees of files: unpacked, copied, measured, given to a user. All of it blocks: call it in a thread."""

import os
import shutil
import tarfile
from contextlib import suppress
from pathlib import Path

from windlass_builder.adapters.tar import readable_tar, require_writable
from windlass_builder.application.runtime_errors import BuildSourceError


def unpack(source: Path, folder: Path) -> None:
    """Unpack the tar into the new folder.

    Raises: BuildSourceError, where it is none, or something in it would lie or point outside; BuildPathTooLongError.
    """
    folder.mkdir(parents=True)
    with readable_tar(source) as files:
        for entry in files:
            require_writable(entry.name)
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


def copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True)


def give(folder: Path, user: int) -> None:
    """Make the user the owner of the folder and everything in it."""
    os.chown(folder, user, user)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent, name), user, user, follow_symlinks=False)


def size(folder: Path) -> int:
    """Return the bytes of all files in the folder."""
    parents = os.walk(folder)
    return sum(Path(parent, name).lstat().st_size for parent, _, files in parents for name in files)


def occupied(folder: Path) -> int:
    """Return the bytes that the files in the folder have on the disk; what goes meanwhile is not counted."""
    total = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            with suppress(FileNotFoundError):
                total += Path(parent, name).lstat().st_blocks * 512  # of st_blocks, whatever the disk's own blocks are
    return total


def remove(folder: Path) -> None:
    """Remove the folder: first its name, then its content, so that a crash leaves no half of it under its name."""
    doomed = folder.with_name(f".gone-{folder.name}")
    if folder.exists():
        if doomed.exists():
            shutil.rmtree(doomed)
        folder.rename(doomed)
    if doomed.exists():
        shutil.rmtree(doomed)
