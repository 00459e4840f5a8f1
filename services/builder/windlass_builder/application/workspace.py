"""Folders in which something is built or looked into, each locked while it is used: what the dead left is swept."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def workspace(scratch: Path) -> Iterator[Path]:
    """Give an empty folder of one's own below `scratch`, which is gone afterwards."""
    while True:
        folder = Path(tempfile.mkdtemp(dir=scratch))
        held = _taken(folder)
        if held is not None:
            break
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
        os.close(held)


def reap_workspaces(scratch: Path) -> int:
    """Remove the folders below `scratch` that nobody uses any more, and return how many there were."""
    reaped = 0
    for folder in scratch.iterdir():
        held = _taken(folder) if folder.is_dir() and not folder.is_symlink() else None
        if held is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(held)
            reaped += 1
    return reaped


def _taken(folder: Path) -> int | None:
    """Return the folder, locked; None where somebody else has it, or has just taken it away."""
    try:
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        return None
    if os.fstat(held).st_nlink == 0:  # who sweeps was quicker than who made it
        os.close(held)
        return None
    return held
