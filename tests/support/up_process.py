"""A `windlass up` as its user sees it: a process, what it says, and the processes it has started."""

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

TESTS = Path(__file__).parent.parent
SECONDS = 60


@dataclass(frozen=True)
class Witness:
    """A process seen once; its descriptor goes on meaning that process, whoever gets the number later."""

    name: str
    pid: int
    descriptor: int

    @classmethod
    def of(cls, process: psutil.Process) -> "Witness":
        return cls(process.name(), process.pid, os.pidfd_open(process.pid))

    def ended(self, seconds: float = SECONDS) -> bool:
        """Wait for its end; a zombie has ended."""
        return bool(select.select([self.descriptor], [], [], seconds)[0])


class UpProcess:
    """Runs the stand-in installation in `home` for the time of a `with` block."""

    def __init__(self, home: Path, port: int, config: Path) -> None:
        self.home = home
        self.port = port
        self.command = [sys.executable, "-m", "support.stand_in_installation", str(home), str(port)]
        self.environment = {**os.environ, "PYTHONPATH": str(TESTS), "XDG_CONFIG_HOME": str(config)}
        self.own_session = False
        """Whether signals to the group of who runs this, such as Ctrl-C at the terminal, are not for it too."""
        self._lines: deque[tuple[float, str]] = deque()
        self.said_at = 0.0
        """When the line was said that was waited for last, in seconds since 1970."""
        self._said = threading.Condition()
        self._closed = False

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self.command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
            start_new_session=self.own_session,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(SECONDS)
        self._reader.join(SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_for(self, words: str) -> str:
        """Return the first line not yet waited for that contains `words`; lines before it are passed over."""
        passed: list[str] = []
        with self._said:
            while True:
                while self._lines:
                    self.said_at, line = self._lines.popleft()
                    if words in line:
                        return line
                    passed.append(line)
                assert not self._closed, f"ended without saying {words!r}, but: {passed}"
                assert self._said.wait(SECONDS), f"did not say {words!r}, but: {passed}"

    def wait_until_ready(self) -> Self:
        self.wait_for("after ready")
        return self

    def rest(self) -> list[str]:
        """Wait for the end, and return what was said and not yet waited for."""
        self._process.wait(SECONDS)
        self._reader.join(SECONDS)
        return [line for _, line in self._lines]

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def exit_code(self) -> int:
        return self._process.wait(SECONDS)

    def descendants(self) -> Sequence[Witness]:
        return descendants(self.pid)

    def descendant(self, name: str) -> Witness:
        """Return the topmost descendant of that name."""
        for process in psutil.Process(self.pid).children(recursive=True):
            if process.name() == name:
                return Witness.of(process)
        raise LookupError(name)

    def services(self) -> dict[str, int]:
        return {each.name: each.pid for each in self.descendants() if each.name.startswith("wl-")}

    @property
    def parent_of_services(self) -> Witness:
        gateway = psutil.Process(self.descendant("wl-gateway").pid)
        parent = gateway.parent()
        assert parent is not None
        return Witness.of(parent)

    @property
    def nats_url(self) -> str:
        port = json.loads((self.home / "ports.json").read_text())["nats"]
        return f"nats://127.0.0.1:{port}"

    def nats_seed(self, user: str) -> str:
        return str(self.home / "nkeys" / f"{user}.seed")

    def database_url(self, service: str, database: str) -> str:
        from windlass.up.credentials import Credentials  # noqa: PLC0415 - the rest of this file needs no product code
        from windlass.up.home import Home  # noqa: PLC0415 - as above

        password = Credentials.read(Home(self.home)).database_password(service)
        return f"postgresql://{service}:{password}@/{database}?host={self.home / 'postgres' / 'run'}"

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._said:
                self._lines.append((time.time(), line.rstrip("\n")))
                self._said.notify_all()
        with self._said:
            self._closed = True
            self._said.notify_all()


def descendants(pid: int) -> Sequence[Witness]:
    """Return all processes that come from this one, but for those that end just now."""
    found = []
    for process in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            found.append(Witness.of(process))
    return found
