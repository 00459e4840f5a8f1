"""Trees of files: unpacked, copied, measured, given to a user. All of it blocks: call it in a thread."""

import os
import shutil
import tarfile
from pathlib import Path

from windlass_builder.application.runtime_errors import BuildSourceError


def unpack(source: Path, folder: Path) -> None:
    """Unpack the tar into the new folder.

    Raises: BuildSourceError, where something in it would lie or point outside.
    """
    folder.mkdir(parents=True)
    with tarfile.open(source, "r|") as files:
        try:
            files.extractall(folder, filter="data")
        except tarfile.FilterError as error:
            raise BuildSourceError(str(error)) from error


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


def remove(folder: Path) -> None:
    """Remove the folder: first its name, then its content, so that a crash leaves no half of it under its name."""
    doomed = folder.with_name(f".gone-{folder.name}")
    if folder.exists():
        if doomed.exists():
            shutil.rmtree(doomed)
        folder.rename(doomed)
    if doomed.exists():
        shutil.rmtree(doomed)
