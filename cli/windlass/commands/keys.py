"""`windlass keys`: what the values of variables are encrypted with."""

from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from windlass.api import Api, Json
from windlass.commands.running import AsJson, print_json, print_line, run
from windlass.commands.table import print_table
from windlass.terminal import plain

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Show and rotate the keys that encrypt the values of variables."
)


@app.command("list")
def list_keys(*, as_json: AsJson = False) -> None:
    """List the keys by their fingerprints, with how many values each encrypts."""

    async def ask(api: Api) -> Json:
        return await api.get("/keys")

    found = run(ask)
    if as_json:
        print_json(found)
        return
    uses = ["encrypts", *["only decrypts"] * (len(found["keys"]) - 1)]
    print_table(
        ("KEY", "USE", "VALUES"),
        [(one["key"], use, str(one["values"])) for one, use in zip(found["keys"], uses, strict=True)],
    )
    _say_unreadable(found["unreadable"])
    if len(found["keys"]) > 1:
        print_line("A rotation is not finished: `windlass keys rotate` goes on with it.")


@app.command("rotate")
def rotate_keys(*, as_json: AsJson = False) -> None:
    """Make a new key, encrypt every value with it, and throw the old keys away; run again, it goes on."""

    async def rotate(api: Api) -> Json:
        last: Json = {}
        with _telling(silent=as_json) as tell:
            async with aclosing(api.lines("/keys/rotation", method="POST")) as states:
                async for last in states:
                    tell(last)
        return last

    done = run(rotate)
    if as_json:
        print_json(done)
        return
    print_line(f"{'Went on with the rotation' if done['resumed'] else 'Rotated'} to the key {done['key']}.")
    print_line(f"{done['encrypted']} of {done['values']} values were encrypted anew; {done['left']} are left.")
    _say_unreadable(done["unreadable"])
    if done["unreadable"]:
        print_line("As long as there is one like that, the old keys are kept.")
    else:
        print_line(
            f"Old keys thrown away: {done['retired']}. Keep a copy of the new keys file, and destroy older copies."
        )


def _say_unreadable(values: list[Json]) -> None:
    for one in values:
        variable = "named by no variable" if one["variable"] is None else plain(one["variable"])
        print_line(
            f"No key opens the value {one['secret']} ({variable}): restore its key, or shred it and set it anew."
        )


@contextmanager
def _telling(*, silent: bool) -> Iterator[Callable[[Json], None]]:
    """Yield what shows how far it is: a bar on a terminal, nothing elsewhere; the end is told in any case."""
    console = Console(stderr=True)
    if silent or not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("Encrypting values anew"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None)

        def tell(state: Json) -> None:
            progress.update(task, total=state["values"], completed=state["values"] - state["left"])

        yield tell
