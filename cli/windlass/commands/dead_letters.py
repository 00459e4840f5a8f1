"""`windlass dead-letters`: reactions that a service gave up."""

from typing import Annotated
from urllib.parse import quote

import typer

from windlass.api import Api, Json
from windlass.commands.running import AsJson, print_json, print_line, run
from windlass.commands.table import print_table
from windlass.errors import BadInputError
from windlass.terminal import age, plain

app = typer.Typer(
    invoke_without_command=True,
    add_completion=False,
    help="What services gave up: list it, have it tried again, or discard it with a reason.",
)

Id = Annotated[str, typer.Argument(help="Its id, or 4 or more characters of its beginning.")]

_STANDING = {
    "open": "waits for somebody",
    "retrying": "is being tried again",
    "recovered": "recovered",
    "discarded": "discarded",
}


@app.callback()
def dead_letters(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List them where nothing else is asked for."""
    if context.invoked_subcommand is None:
        _list(as_json=as_json)


@app.command("list")
def list_dead_letters(*, as_json: AsJson = False) -> None:
    """List what services gave up, first what waits for somebody."""
    _list(as_json=as_json)


def _list(*, as_json: bool) -> None:
    async def listed(api: Api) -> Json:
        return await api.get("/dead-letters")

    found = run(listed)
    if as_json:
        print_json(found)
    elif found:
        header = ("ID", "STATUS", "SERVICE", "REACTOR", "EVENT", "TRIED", "ERROR", "SINCE")
        print_table(header, [_row(one) for one in found])
    else:
        print_line("No dead letters: every service dealt with every event so far.")


def _row(one: Json) -> tuple[str, ...]:
    return (
        one["id"][:8],
        one["status"],
        one["service"],
        one["reactor"],
        f"{one['sequence']} {one['type']}",
        str(one["attempts"]),
        one["error"].rpartition(".")[2],
        f"{age(one['first_at'])} ago",
    )


@app.command("show")
def show_dead_letter(dead_letter: Id, *, as_json: AsJson = False) -> None:
    """Show one: what failed on which event, and where to read more."""

    async def show(api: Api) -> Json:
        return await api.get(_path(dead_letter))

    one = run(show)
    if as_json:
        print_json(one)
        return
    about = "" if one["deployment"] is None else f", of deployment {one['deployment'][:8]}"
    print_line(f"{one['id']}: {_STANDING.get(one['status'], one['status'])}, since {age(one['since'])}.")
    print_line(f"The {one['service']}'s {one['reactor']} failed on event {one['sequence']} ({one['type']}{about}).")
    place = "" if one["place"] is None else f" at {one['place']}"
    print_line(f"Tried {one['attempts']} times, given up {one['rounds']} times; last by {plain(one['error'])}{place}.")
    if one["reason"] is not None:
        print_line(f"Discarded because: {plain(one['reason'])}")
    if one["error"].endswith("ReactorMissingError"):
        print_line("The release that runs now has no such reactor: discard it.")
    print_line(f"What the error said is in the {one['service']}'s own log, with sequence {one['sequence']}.")


@app.command("retry")
def retry_dead_letter(dead_letter: Id, *, as_json: AsJson = False) -> None:
    """Have its service try it again, once what was wrong is mended."""

    async def retry(api: Api) -> Json:
        return await api.post(f"{_path(dead_letter)}/retry", {})

    made = run(retry)
    if as_json:
        print_json(made)
    else:
        print_line(f"It is tried again. What comes of it: windlass dead-letters show {plain(dead_letter)}")


@app.command("discard")
def discard_dead_letter(
    dead_letter: Id,
    reason: Annotated[str, typer.Option(help="Why nothing is lost without it. It is kept, with your name.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Let one be. This cannot be taken back."""
    if not reason.strip():
        raise BadInputError("The reason is empty.", "Say why nothing is lost without this reaction.")

    async def discard(api: Api) -> Json:
        return await api.post(f"{_path(dead_letter)}/discard", {"reason": reason})

    made = run(discard)
    if as_json:
        print_json(made)
    else:
        print_line("It is discarded.")


def _path(written: str) -> str:
    if not written.strip():
        raise BadInputError("The id is empty.", "`windlass dead-letters` lists them.")
    return f"/dead-letters/{quote(written, safe='')}"
