"""`windlass run`: a command, once, in a release of a project, beside its running containers."""

import asyncio
import shlex
import sys
from contextlib import aclosing
from typing import Annotated

import typer
from rich.console import Console

from windlass.api import Api, Json
from windlass.commands.following import persistently
from windlass.commands.paths import project_path
from windlass.commands.running import EnvironmentOption, run
from windlass.errors import CommandError
from windlass.terminal import coloured, plain

_CODES = {"canceled": 130, "timeout": 124, "out-of-memory": 137}
"""What this ends with where the command did not end by itself, as shells and `timeout` say it."""


def run_once(
    project: Annotated[str, typer.Argument(help="The project.")],
    command: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND...", help="A program and its arguments, or one line for a shell.")
    ],
    environment: EnvironmentOption = "production",
    deployment: Annotated[
        str | None, typer.Option("--deployment", "-d", help="In its release, instead of in what is live.")
    ] = None,
    deadline: Annotated[int, typer.Option("--deadline", min=1, max=86_400, help="Seconds; then it is killed.")] = 3_600,
) -> None:
    """Run a command once in a release, with the app's variables, limits, network and volumes.

    It writes to the same outputs here, and its exit code is this command's. Ctrl-C kills it.
    """
    line = command[0] if len(command) == 1 else shlex.join(command)
    body: Json = {"command": line, "environment": environment, "deployment": deployment, "deadline_s": deadline}

    async def carry_out(api: Api) -> Json:
        asked = await api.post(f"{project_path(project)}/runs", body)
        try:
            return await _followed(api, asked)
        except asyncio.CancelledError:
            await _cancel(api, asked)
            raise

    try:
        end = run(carry_out)
    except KeyboardInterrupt:
        _say("Canceled: the command is killed.")
        raise typer.Exit(_CODES["canceled"]) from None
    if end["end"] != "exited":
        _say(f"The command did not end by itself ({plain(end['end'])}). {plain(end.get('reason') or '')}".rstrip())
    raise typer.Exit(end["exit_code"] if end["end"] == "exited" else _CODES.get(end["end"], 1))


async def _followed(api: Api, asked: Json) -> Json:
    """Write what the command writes, each line once, and return how it ended."""
    seen: int | None = None
    path = f"/runs/{asked['run']}/output"
    query = {"at_least": asked["sequence"]}
    async with aclosing(persistently(lambda: api.lines(path, {**query, "after": seen}))) as documents:
        async for one in documents:
            if "end" in one:
                return one
            seen = one["line"]
            _write(one["stream"], one["text"])
    raise AssertionError  # it is followed until its end, or an error


async def _cancel(api: Api, asked: Json) -> None:
    try:
        await api.post(f"/runs/{asked['run']}/cancel", None)
    except CommandError as error:
        _say(f"It could not be canceled: {error.what}")


def _write(stream: str, text: str) -> None:
    """Write a line as it was written; to a terminal without what could take that over."""
    target = sys.stdout if stream == "out" else sys.stderr
    shown = text
    if target.isatty():
        shown = plain(text) if Console().no_color else coloured(text)
    target.buffer.write(shown.encode(errors="replace") + b"\n")
    target.buffer.flush()


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
