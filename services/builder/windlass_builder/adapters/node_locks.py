"""Locks of a node as locked files: the kernel gives them back when their holder dies, however it dies."""

import asyncio
import fcntl
import hashlib
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from windlass_builder.application.locks import Locks, OwnLocks, Release


class NodeLocks(Locks):
    """Locks below `folder`; a file is there for as long as somebody holds its lock or waits for it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._own = OwnLocks()

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[None]:
        async with self._own.alone(name):
            path = self._path(name)
            held = _taken(path, wait=False)
            if held is None:
                held = await _waited(path)
            try:
                yield
            finally:
                _give_back(path, held)

    def attempt(self, name: str) -> Release | None:
        release = self._own.attempt(name)
        if release is None:
            return None
        path = self._path(name)
        held = _taken(path, wait=False)
        if held is None:
            release()
            return None

        def give_back() -> None:
            _give_back(path, held)
            release()

        return give_back

    def reap(self) -> None:
        """Remove the files of locks that nobody holds any more: those of holders that were killed."""
        for path in self._folder.iterdir():
            if (held := _taken(path, wait=False)) is not None:
                _give_back(path, held)

    def _path(self, name: str) -> Path:
        return self._folder / hashlib.sha256(name.encode()).hexdigest()[:40]


def _taken(path: Path, *, wait: bool) -> int | None:
    """Return the file, locked; None where somebody else has it, and nobody is to wait."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(file)
            return None
        if _is_at(path, file):
            return file
        os.close(file)  # its last holder removed it while we waited


def _is_at(path: Path, file: int) -> bool:
    """Tell whether the file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _give_back(path: Path, file: int) -> None:
    path.unlink(missing_ok=True)
    os.close(file)


async def _waited(path: Path) -> int:
    """Wait in a thread that keeps nobody from ending: the kernel knows no other way to be told."""
    loop = asyncio.get_running_loop()
    taken: asyncio.Future[int] = loop.create_future()

    def hand_over(file: int) -> None:
        if taken.cancelled():
            _give_back(path, file)
        else:
            taken.set_result(file)

    def wait() -> None:
        file = _taken(path, wait=True)
        if file is None:
            return
        try:
            loop.call_soon_threadsafe(hand_over, file)
        except RuntimeError:  # the loop is closed: nobody waits any more
            _give_back(path, file)

    threading.Thread(target=wait, daemon=True, name="waits for a lock").start()
    try:
        return await taken
    except asyncio.CancelledError:
        if taken.done() and not taken.cancelled():
            _give_back(path, taken.result())
        raise
