"""Two locks on the state folder: one `windlass up` at a time, and none before the last one's children are gone."""

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from windlass.up.errors import AlreadyRunningError, StateError
from windlass.up.home import Home
from windlass.up.narrator import Narrator

_CHILDREN_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Holder:
    """The `windlass up` that holds a state folder; `url` is empty until it is ready."""

    pid: int
    url: str = ""


class RunningLock:
    """Held for the life of one `windlass up`; the kernel lets go of it when the process ends, however it ends."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.announce("")

    def announce(self, url: str) -> None:
        """Write down who holds the lock, for those that find it taken."""
        self._file.seek(0)
        self._file.truncate()
        self._file.write(json.dumps(asdict(Holder(os.getpid(), url))).encode())
        self._file.flush()


@contextmanager
def running_lock(home: Home) -> Iterator[RunningLock]:
    """Hold the state folder.

    Raises:
        AlreadyRunningError: another process holds it.
    """
    with home.running_lock.open("a+b") as file:
        if not _try_lock(file):
            raise _already_running(home, _holder_in(file))
        yield RunningLock(file)


def holder(home: Home) -> Holder | None:
    """Return who runs this installation now, if anybody does."""
    try:
        with home.running_lock.open("r+b") as file:
            return None if _try_lock(file) else _holder_in(file)
    except FileNotFoundError:
        return None


@contextmanager
def children_lock(home: Home, narrator: Narrator) -> Iterator[int]:
    """Wait until every child of an earlier, killed start is gone; yield the descriptor that all children inherit.

    A lock of flock(2) belongs to the open file, which forked and started processes share: it is free exactly when
    the last of them has ended. So no list of process ids is kept, which could be stale or name somebody else.

    Raises:
        StateError: some are still there after 30 s.
    """
    with home.children_lock.open("a+b") as file:
        if not _try_lock(file):
            narrator.say("Waiting for processes of an earlier start to end.")
            _lock_within(file, _CHILDREN_SECONDS, home.children_lock)
        yield file.fileno()


def _try_lock(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_within(file: BinaryIO, seconds: float, path: Path) -> None:
    """Block in flock(2), on a thread of its own because that call has no timeout."""
    locked = threading.Event()

    def wait() -> None:
        fcntl.flock(file, fcntl.LOCK_EX)
        locked.set()

    threading.Thread(target=wait, daemon=True).start()
    if not locked.wait(seconds):
        raise StateError(
            f"Processes of an earlier start are still running: {_processes_with_open(path)}.",
            "End them, then run `windlass up` again.",
        )


def _holder_in(file: BinaryIO) -> Holder:
    file.seek(0)
    content = file.read()
    # Empty for the instant between taking the lock and writing the name.
    return Holder(**json.loads(content)) if content else Holder(pid=0)


def _already_running(home: Home, by: Holder) -> AlreadyRunningError:
    at = f", at {by.url}" if by.url else ", still starting"
    return AlreadyRunningError(
        f"Windlass is already running on {home.root}: process {by.pid}{at}.",
        "Stop it with `windlass down`, or run another installation with --home DIRECTORY --port PORT.",
    )


def _processes_with_open(path: Path) -> str:
    """Return the ids of the processes that have the file open, as far as /proc tells."""
    found: set[str] = set()
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if descriptor.samefile(path):
                found.add(descriptor.parts[2])
        except OSError:  # it ended meanwhile, or belongs to somebody else
            continue
    found.discard(str(os.getpid()))
    return ", ".join(sorted(found, key=int)) or "unknown"
