"""What a command without a console writes: whole lines, values of variables replaced."""

import sys
from contextlib import aclosing

from rich.console import Console

from windlass.api import Api, Json
from windlass.commands.following import persistently
from windlass.terminal import coloured, plain


async def followed(api: Api, run: str, at_least: int = 0) -> Json:
    """Write what the command writes, each line once, and return how it ended."""
    seen: int | None = None
    path = f"/runs/{run}/output"
    query = {"at_least": at_least}
    async with aclosing(persistently(lambda: api.lines(path, {**query, "after": seen}))) as documents:
        async for one in documents:
            if "end" in one:
                return one
            seen = one["line"]
            _write(one["stream"], one["text"])
    raise AssertionError  # it is followed until its end, or an error


def _write(stream: str, text: str) -> None:
    """Write a line as it was written; to a terminal without what could take that over."""
    target = sys.stdout if stream == "out" else sys.stderr
    shown = text
    if target.isatty():
        shown = plain(text) if Console().no_color else coloured(text)
    target.buffer.write(shown.encode(errors="replace") + b"\n")
    target.buffer.flush()
