"""Trees of files: copied, given to a user, removed. All of it blocks: call it in a thread."""

import os
import shutil
from pathlib import Path


def copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True)


def give(folder: Path, user: int) -> None:
    """Make the user the owner of the folder and everything in it."""
    os.chown(folder, user, user)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent, name), user, user, follow_symlinks=False)


def remove(folder: Path) -> None:
    """Remove the folder: first its name, then its content, so that a crash leaves no half of it under its name."""
    doomed = folder.with_name(f".gone-{folder.name}")
    if folder.exists():
        if doomed.exists():
            shutil.rmtree(doomed)
        folder.rename(doomed)
    if doomed.exists():
        shutil.rmtree(doomed)
