"""A real server as a child process: started until it says it is ready, stopped with its parent."""

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

START_SECONDS = 60
STOP_SECONDS = 10


class ServerDidNotStartError(Exception):
    """The server ended, or stayed silent, before it said that it was ready."""


@dataclass(frozen=True)
class ServerCommand:
    """What to run, the words in its log that mean "ready", and the signal that stops it quickly and cleanly."""

    arguments: Sequence[str]
    ready: bytes
    log: Path
    stop: signal.Signals = signal.SIGTERM
    user: str | None = None


class ServerProcess:
    """Runs a server for the time of a `with` block; the kernel ends it should this process be killed."""

    def __init__(self, command: ServerCommand) -> None:
        self._command = command
        self._ready = False
        self._answered = threading.Event()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [*_die_with_parent(self._command.stop), *self._command.arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd="/",
            user=self._command.user,
            group=_group_of(self._command.user),
            extra_groups=None if self._command.user is None else [],
        )
        self._reader = threading.Thread(target=self._keep_log, daemon=True)
        self._reader.start()
        self._answered.wait(START_SECONDS)
        if not self._ready:
            self.__exit__()
            raise ServerDidNotStartError(f"{self._command.arguments[0]} did not start: {self._last_words()}")
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(self._command.stop)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(STOP_SECONDS)
        if self._process.stderr is not None:
            self._process.stderr.close()

    def kill(self) -> None:
        """Kill it as a power failure would, and wait for its end."""
        self._process.kill()
        self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _keep_log(self) -> None:
        assert self._process.stderr is not None
        with self._command.log.open("ab") as log:
            for line in self._process.stderr:
                log.write(line)
                log.flush()
                if self._command.ready in line:
                    self._ready = True
                    self._answered.set()
        self._answered.set()  # the end of its output is an answer as well

    def _last_words(self) -> str:
        return self._command.log.read_text(errors="replace")[-2000:] or "it said nothing"


def _die_with_parent(stop: signal.Signals) -> list[str]:
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", stop.name.removeprefix("SIG"), "--"] if setpriv else []


def _group_of(user: str | None) -> int | None:
    if user is None:
        return None
    import pwd  # noqa: PLC0415 - absent outside Unix, and asked for only by root

    return pwd.getpwnam(user).pw_gid


def running_as_root() -> bool:
    return os.geteuid() == 0
