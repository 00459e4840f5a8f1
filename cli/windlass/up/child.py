"""A process under supervision, and programs started as such."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from windlass.up.errors import StartError
from windlass.up.log_files import bound_log, last_words, open_log
from windlass.up.parentage import end_with_parent

_PROBE_SECONDS = 0.025


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended: its exit code, or minus the number of the signal that ended it."""

    code: int

    def __str__(self) -> str:
        if self.code >= 0:
            return f"exited with code {self.code}"
        return f"was ended by {next((each.name for each in signal.Signals if each == -self.code), -self.code)}"


class Running(Protocol):
    """A process that was started and is, or was, running."""

    @property
    def pid(self) -> int: ...

    async def exit(self) -> Exit:
        """Wait until it has ended; may be awaited any number of times."""
        ...

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens if it has ended."""
        ...


@dataclass(frozen=True, slots=True)
class Program:
    """A program to run as a child; `on_orphaned` is what the kernel sends it when we are gone."""

    name: str
    arguments: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    user: int | None = None
    on_orphaned: signal.Signals = signal.SIGKILL


class ProgramProcess:
    """A `Program` that was started."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    async def exit(self) -> Exit:
        return Exit(await self._process.wait())

    def send(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            self._process.send_signal(number)


async def start(program: Program, inherited: Sequence[int]) -> ProgramProcess:
    """Start a program in a session of its own, so that Ctrl-C at the terminal reaches us alone."""
    bound_log(program.log)
    return ProgramProcess(await _execute(program, inherited, asyncio.subprocess.DEVNULL))


async def run_to_end(program: Program, inherited: Sequence[int], script: str = "") -> None:
    """Run a program that ends on its own, fed with `script`.

    Raises:
        StartError: it failed.
    """
    process = await _execute(program, inherited, asyncio.subprocess.PIPE)
    try:
        await process.communicate(script.encode())
    finally:
        if process.returncode is None:
            process.kill()
    ended = Exit(await process.wait())
    if ended != Exit(0):
        raise StartError.of(program.name, describe_exit(ended, program.log), program.log)


async def _execute(program: Program, inherited: Sequence[int], stdin: int) -> asyncio.subprocess.Process:
    parent = os.getpid()
    log = open_log(program.log)
    try:
        return await asyncio.create_subprocess_exec(
            *program.arguments,
            stdin=stdin,
            stdout=log,
            stderr=log,
            cwd="/",
            env={**os.environ, **program.environment},
            user=program.user,
            group=program.user,
            extra_groups=None if program.user is None else [],
            start_new_session=True,
            pass_fds=inherited,
            # Between fork and exec, after the change of user: the one place where the kernel keeps it.
            preexec_fn=lambda: end_with_parent(parent, program.on_orphaned),
        )
    finally:
        os.close(log)


async def start_until_ready(
    program: Program, inherited: Sequence[int], answers: Callable[[int], Awaitable[bool]], seconds: float
) -> ProgramProcess:
    """Start a program and wait until `answers(its process id)`.

    Raises:
        StartError: it ended before, or has not answered within `seconds`; it is not running any more.
    """
    process = await start(program, inherited)

    async def answered() -> None:
        # None of these servers signals that it is ready, other than by answering.
        while not await answers(process.pid):  # noqa: ASYNC110 - so there is no event to wait for
            await asyncio.sleep(_PROBE_SECONDS)

    await await_ready(program.name, process, answered(), program.log, seconds)
    return process


async def await_ready(name: str, process: Running, ready: Awaitable[None], log: Path, seconds: float) -> None:
    """Wait until `ready` or until the process has ended, whichever is first; whoever is not ready is killed.

    Raises:
        StartError: it ended before it was ready, or was not ready within `seconds`.
    """
    readiness, ended = asyncio.ensure_future(ready), asyncio.ensure_future(process.exit())
    try:
        await asyncio.wait((readiness, ended), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if readiness.done():
            readiness.result()
            return
        reason = describe_exit(ended.result(), log) if ended.done() else f"no answer within {seconds:.0f} s"
        raise StartError.of(name, reason, log)
    finally:
        ended.cancel()
        if not (readiness.done() and not readiness.cancelled() and readiness.exception() is None):
            readiness.cancel()
            process.send(signal.SIGKILL)
            await process.exit()


def describe_exit(ended: Exit, log: Path) -> str:
    """Return how it ended, with what its log says of it."""
    line = last_words(log)
    return f"{ended}, after the line “{line}”" if line else str(ended)
