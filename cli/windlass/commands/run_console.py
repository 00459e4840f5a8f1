"""Sitting before a command: this terminal becomes its terminal, or bytes come in and go out as they are."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import dataclass
from enum import Enum, auto

from windlass.api import Json
from windlass.conversation import Conversation
from windlass.keyboard import Escape, Kind, incoming, kind_of, raw, window

_STDIN, _STDOUT = 0, 1


class Mode(Enum):
    """How a command and whoever asked for it hear of each other."""

    TERMINAL = auto()
    BYTES = auto()
    LINES = auto()


class LeftError(Exception):
    """Whoever sat here wished to leave; the command runs on, for a while at least."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was said on the command line about how to run it."""

    terminal: bool = False
    raw: bool = False
    no_input: bool = False
    detached: bool = False


def mode_of(wanted: Wanted, stdin: Kind, stdout: Kind) -> Mode:
    """Return how to run a command between these two.

    Where nothing comes in and the output goes to no file, as in most automation, it is told in lines, with values of
    variables replaced; whatever is piped, in or out, is nobody's to change.
    """
    if wanted.terminal:
        return Mode.TERMINAL
    if wanted.raw:
        return Mode.BYTES
    if wanted.no_input or stdin is Kind.NOTHING:
        return Mode.BYTES if stdout is Kind.FILE else Mode.LINES
    return Mode.TERMINAL if stdin is stdout is Kind.TERMINAL else Mode.BYTES


def standard_mode(wanted: Wanted) -> Mode:
    return mode_of(wanted, kind_of(_STDIN), kind_of(_STDOUT))


def console(mode: Mode, *, detached: bool) -> Json:
    """Return what to ask for, None for lines."""
    if mode is Mode.LINES:
        return None
    size = window()
    asked: Json = {"terminal": mode is Mode.TERMINAL, "rows": size.rows, "columns": size.columns, "detached": detached}
    if name := os.environ.get("TERM"):
        asked["name"] = name
    return asked


async def sat_before(conversation: Conversation, mode: Mode, *, no_input: bool = False) -> Json:
    """Show and type until the command has ended, and return how.

    Raises:
        LeftError: whoever sits here left.
        CommandError: the connection is lost for good.
    """
    keyboard = mode is Mode.TERMINAL and kind_of(_STDIN) is Kind.TERMINAL
    keys = _nothing() if no_input else _left_by_escape() if keyboard else incoming(_STDIN)
    with ExitStack() as around:
        if keyboard:
            around.enter_context(raw(_STDIN))
            around.enter_context(_resizing(conversation))
        showing = asyncio.ensure_future(conversation.until_ended())
        typing = asyncio.ensure_future(conversation.type(keys))
        try:
            await asyncio.wait({showing, typing}, return_when=asyncio.FIRST_COMPLETED)
            if typing.done():
                typing.result()
            return await showing
        finally:
            for work in (showing, typing):
                work.cancel()
            await asyncio.wait({showing, typing})


@contextmanager
def _resizing(conversation: Conversation) -> Iterator[None]:
    """Tell the command the size of the window now, and whenever it changes."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGWINCH, lambda: conversation.resize(window()))
    conversation.resize(window())
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)


async def _left_by_escape() -> AsyncGenerator[bytes, None]:
    escape = Escape()
    async with aclosing(incoming(_STDIN)) as pieces:
        async for keys in pieces:
            if passed := escape.passed(keys):
                yield passed
            if escape.left:
                raise LeftError
    raise LeftError  # the terminal is gone


async def _nothing() -> AsyncGenerator[bytes, None]:
    nothing: tuple[bytes, ...] = ()
    for piece in nothing:
        yield piece
