"""What the files in a folder weigh. Whoever they belong to writes on meanwhile, and may not let us look everywhere.

All of it blocks: call it in a thread.
"""

import os
from collections.abc import Iterator
from pathlib import Path

_BLOCK = 512  # of st_blocks, whatever the disk's own blocks are


def size(folder: Path) -> int:
    """Return the bytes of all files in the folder."""
    return sum(file.st_size for file in _files(folder))


def occupied(folder: Path) -> int:
    """Return the bytes that the files in the folder have on the disk."""
    return sum(file.st_blocks for file in _files(folder)) * _BLOCK


def _files(folder: Path) -> Iterator[os.stat_result]:
    """Yield what the system says of each file. What goes, or may not be looked at, or is too deep, is left out."""
    for parent, _, files in os.walk(folder):
        for name in files:
            try:
                yield os.lstat(os.path.join(parent, name))  # noqa: PTH118 - some ten thousand of them
            except OSError:
                continue
