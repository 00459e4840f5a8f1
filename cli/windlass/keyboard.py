"""This process's own terminal and standard streams: raw keys, the window's size, and bytes that block nobody."""

import asyncio
import os
import stat
import sys
import termios
import tty
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from enum import Enum, auto

from windlass_contracts.run_frames import LARGEST_DATA, MOST_COLUMNS, MOST_ROWS, Size

_AT_ONCE = 4_096
"""What a pipe takes whole where it takes anything: so nothing waits. Source: pipe(7), PIPE_BUF."""


class Kind(Enum):
    """What a standard stream is."""

    TERMINAL = auto()
    NOTHING = auto()
    FILE = auto()
    OTHER = auto()


def kind_of(descriptor: int) -> Kind:
    """Return what the descriptor leads to; one that is closed, and /dev/null, are nothing."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return Kind.NOTHING
    if os.isatty(descriptor):
        return Kind.TERMINAL
    if stat.S_ISCHR(found.st_mode):
        return Kind.NOTHING
    return Kind.FILE if stat.S_ISREG(found.st_mode) else Kind.OTHER


def window() -> Size:
    """Return the size of the terminal, 24 by 80 where there is none."""
    try:
        found = os.get_terminal_size(sys.stdout.fileno())
    except (OSError, ValueError):
        return Size(24, 80)
    return Size(min(max(found.lines, 1), MOST_ROWS), min(max(found.columns, 1), MOST_COLUMNS))


@contextmanager
def raw(descriptor: int) -> Iterator[None]:
    """Let every key come as it is pressed, Ctrl-C too, and nothing be echoed, for as long as the block lasts."""
    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor, termios.TCSADRAIN)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


async def incoming(descriptor: int) -> AsyncGenerator[bytes, None]:
    """Yield what comes, until its end. Nothing is read before it is asked for."""
    while True:
        await _ready(descriptor, writing=False)
        try:
            data = os.read(descriptor, LARGEST_DATA)
        except BlockingIOError:
            continue
        except OSError:  # a terminal that is gone
            return
        if not data:
            return
        yield data


async def write(descriptor: int, data: bytes) -> None:
    """Write all of it.

    Raises:
        OSError: nobody reads it any more.
    """
    rest = memoryview(data)
    while rest:
        await _ready(descriptor, writing=True)
        try:
            rest = rest[os.write(descriptor, rest[:_AT_ONCE]) :]
        except BlockingIOError:
            continue


async def _ready(descriptor: int, *, writing: bool) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    add, remove = (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)
    try:
        add(descriptor, _set, ready)
    except PermissionError:  # a file: it is ready at any time
        return
    try:
        await ready
    finally:
        remove(descriptor)


def _set(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


class Escape:
    """Finds the wish to leave among the keys: `~.` at the beginning of a line, as with ssh; `~~` is one `~`."""

    def __init__(self) -> None:
        self._at_beginning = True
        self._begun = False
        self.left = False

    def passed(self, keys: bytes) -> bytes:
        """Return what of the keys is for the command."""
        kept = bytearray()
        for key in keys:
            if self._begun:
                self._begun = False
                if key == ord("."):
                    self.left = True
                    return bytes(kept)
                if key != ord("~"):
                    kept += b"~"
            elif self._at_beginning and key == ord("~"):
                self._begun = True
                continue
            kept.append(key)
            self._at_beginning = key in b"\r\n"
        return bytes(kept)
