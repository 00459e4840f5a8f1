"""Keeps two processes of one machine from doing the same work at once."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from windlass.provisioning.progress import Progress


@contextmanager
def exclusive(path: Path, progress: Progress) -> Iterator[None]:
    """Hold the lock file at `path`, waiting for whoever holds it; the kernel frees it when its holder dies."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say("Another windlass prepares the images; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
