"""The runners beside Python's, prepared while the platform is already at work: most start without them."""

import asyncio
import fcntl
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from windlass.provisioning.runner_images import NODE, STATIC
from windlass.up.blueprint import Runtime
from windlass.up.home import Home
from windlass.up.narrator import Narrator

_PROGRAM = "windlass.provisioning.runners"


class Preparation:
    """Goes on until `end`; the builder knows by the lock, and waits with what needs a runner that is still missing."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor
        fcntl.flock(descriptor, fcntl.LOCK_EX)

    def end(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@contextmanager
def preparation(home: Home) -> Iterator[Preparation]:
    """Yield a preparation that goes on, at the latest until the block ends."""
    going_on = Preparation(os.open(home.runners_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    try:
        yield going_on
    finally:
        going_on.end()


async def prepare_more_runners(runtime: Runtime, narrator: Narrator) -> None:
    """Prepare the runners for Node and for static pages, in a process that gives way to all others.

    That it fails is said, and no more: Python apps need none of it.
    """
    if runtime != "docker":
        return
    command = ("-m", _PROGRAM, NODE.name, STATIC.name)
    running = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, preexec_fn=_give_way
    )
    try:
        said = await _relayed(running, narrator)
        if await running.wait():
            narrator.warn(f"Not all runners could be prepared; `windlass up` tries again at its next start. {said}")
    finally:
        with suppress(ProcessLookupError):
            running.kill()


def _give_way() -> None:
    os.nice(10)


async def _relayed(running: asyncio.subprocess.Process, narrator: Narrator) -> str:
    """Say what the process says, and return its last words."""
    last = ""
    assert running.stdout is not None  # noqa: S101 - it is a pipe
    async for line in running.stdout:
        last = line.decode(errors="replace").rstrip()
        narrator.say(last)
    return last
