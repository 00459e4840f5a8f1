"""The real command in a real terminal, as somebody at a keyboard has it."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

_PATIENCE_S = 60.0


@dataclass
class TerminalCommand:
    """A command whose keyboard and screen are `master`."""

    process: "subprocess.Popen[bytes]"
    master: int
    shown: bytes = b""
    _seen: int = field(default=0)

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def until(self, text: bytes) -> None:
        """Wait until the text is shown, behind what was waited for before."""
        until = monotonic() + _PATIENCE_S
        while (at := self.shown.find(text, self._seen)) < 0:
            assert monotonic() < until, self.shown
            assert self._read(until), self.shown
        self._seen = at + len(text)

    def ended(self) -> int:
        """Wait for the end, and return the exit code."""
        until = monotonic() + _PATIENCE_S
        while self._read(until):
            assert monotonic() < until, self.shown
        return self.process.wait(_PATIENCE_S)

    def _read(self, until: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], max(0.0, until - monotonic()))
        try:
            piece = os.read(self.master, 65_536) if ready else b""
        except OSError:  # what a terminal says that nobody has open any more
            return False
        self.shown += piece
        return bool(piece)


@contextmanager
def in_terminal(
    command: Sequence[str], environment: Mapping[str, str], rows: int = 30, columns: int = 90
) -> Iterator[TerminalCommand]:
    """Start the command in a terminal of that size; it is gone afterwards."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        ["/usr/bin/setsid", "--ctty", "--wait", *command],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**environment, "TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield TerminalCommand(process, master)
    finally:
        os.close(master)
        process.kill()
        process.wait()
