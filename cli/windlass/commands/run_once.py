"""`windlass run`: a command, once, in a release of a project, beside its running containers."""

import asyncio
import shlex
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, NoReturn
from urllib.parse import quote

import typer

from windlass.api import Api, Json
from windlass.commands.paths import project_path
from windlass.commands.run_console import LeftError, Mode, Wanted, console, sat_before, standard_mode
from windlass.commands.run_lines import followed
from windlass.commands.running import EnvironmentOption, print_line, run
from windlass.conversation import Conversation
from windlass.errors import BadInputError, CommandError, InterruptedStreamError
from windlass.terminal import plain

_CODES = {"canceled": 130, "timeout": 124, "out-of-memory": 137}
"""What this ends with where the command did not end by itself, as shells and `timeout` say it."""


def run_once(  # noqa: PLR0913 - the options are what can be said of a command
    project: Annotated[str | None, typer.Argument(help="The project.")] = None,
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="-- COMMAND...", help="A program and its arguments, or one line for a shell."),
    ] = None,
    environment: EnvironmentOption = "production",
    deployment: Annotated[
        str | None, typer.Option("--deployment", "-d", help="In its release, instead of in what is live.")
    ] = None,
    deadline: Annotated[int, typer.Option("--deadline", min=1, max=86_400, help="Seconds; then it is killed.")] = 3_600,
    *,
    terminal: Annotated[bool, typer.Option("--terminal", "-t", help="With a terminal in any case.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Bytes as they are, both ways, and no terminal.")] = False,
    no_input: Annotated[bool, typer.Option("--no-input", "-n", help="Without what comes in here.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Let it run on without anybody, and say its id.")] = False,
    attach: Annotated[str | None, typer.Option("--attach", metavar="RUN", help="Come back to a command.")] = None,
) -> None:
    """Run a command once in a release, with the app's variables, limits, network and volumes.

    In a terminal it has one: every key is for the command, Ctrl-C too; Enter ~ . leaves it. Where something is piped in
    or out, bytes go as they are. Its exit code is this command's; Ctrl-C without a terminal kills it.
    """
    if attach is not None:
        if project or command or detach:
            raise BadInputError("--attach comes back to a command that runs.", "Give its id, and nothing else.")
        run_id = attach
        _end(lambda api: _attached(api, run_id))
    if not project or not command:
        raise BadInputError("There is nothing to run.", "`windlass run PROJECT -- COMMAND`.")
    if terminal and raw:
        raise BadInputError("--raw is without a terminal.", "Give one of --terminal and --raw.")
    place = f"{project_path(project)}/runs"
    line = command[0] if len(command) == 1 else shlex.join(command)
    body: Json = {"command": line, "environment": environment, "deployment": deployment, "deadline_s": deadline}
    wanted = Wanted(terminal=terminal, raw=raw, no_input=no_input, detached=detach)
    _end(lambda api: _carried_out(api, place, body, wanted))


def _end(work: Callable[[Api], Awaitable[Json]]) -> NoReturn:
    """Do the work, and end as the command that it is about does."""
    try:
        end = run(work)
    except KeyboardInterrupt:
        _say("Canceled: the command is killed.")
        raise typer.Exit(_CODES["canceled"]) from None
    if end is None:
        raise typer.Exit
    if end["end"] != "exited":
        _say(f"The command did not end by itself ({plain(end['end'])}). {plain(end.get('reason') or '')}".rstrip())
    raise typer.Exit(end["exit_code"] if end["end"] == "exited" else _CODES.get(end["end"], 1))


async def _carried_out(api: Api, place: str, body: Json, wanted: Wanted) -> Json:
    mode = standard_mode(wanted)
    asked = await api.post(place, {**body, "console": console(mode, detached=wanted.detached)})
    if wanted.detached:
        print_line(asked["run"])
        _say("It runs: `windlass run --attach` with this id shows it.")
        return None
    try:
        if mode is Mode.LINES:
            return await followed(api, asked["run"], asked["sequence"])
        talk = Conversation(api, asked["run"], asked["sequence"])
        return await _talked(talk, mode, no_input=wanted.no_input)
    except (asyncio.CancelledError, BrokenPipeError):
        await _cancel(api, asked["run"])
        raise


async def _attached(api: Api, run_id: str) -> Json:
    found = await api.get(f"/runs/{quote(run_id, safe='')}")
    if not found["console"]:
        return await followed(api, found["run"])
    talk = Conversation(api, found["run"], has=None)
    return await _talked(talk, Mode.TERMINAL if found["terminal"] else Mode.BYTES)


async def _talked(talk: Conversation, mode: Mode, *, no_input: bool = False) -> Json:
    try:
        end = await sat_before(talk, mode, no_input=no_input)
    except LeftError:
        _say(f"Left. It ends in a minute unless it is detached: `windlass run --attach {talk.run}` comes back.")
        return None
    if talk.lost and mode is Mode.BYTES:
        raise InterruptedStreamError(f"{talk.lost} bytes of the output were not kept.", "Run the command again.")
    return end


async def _cancel(api: Api, run_id: str) -> None:
    try:
        await api.post(f"/runs/{run_id}/cancel", None)
    except CommandError as error:
        _say(f"It could not be canceled: {error.what}")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
