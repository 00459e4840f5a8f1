"""`windlass gc`: what no deployment needs any more, deleted now or only listed."""

from functools import partial
from typing import Annotated

import typer

from windlass.api import Api, Json
from windlass.commands.operations import carried_out
from windlass.commands.progress import telling
from windlass.commands.running import AsJson, print_json, print_line, run
from windlass.commands.table import print_table
from windlass.terminal import plain

_MIB = 2**20


def gc(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete releases and layers that nothing needs, as the builder does by itself each day.

    What an address points at or did before, what runs or is under way, and the last releases stay.
    """

    async def collected(api: Api) -> Json:
        with telling(silent=as_json) as teller:
            kind = "collectable" if dry_run else "collect"
            return await carried_out(api, "builder", kind, partial(teller.tell, "builder"))

    end = run(collected)
    if as_json:
        print_json(end)
    elif end["state"] == "done":
        _print(end["result"], "would go" if dry_run else "went")
    else:
        print_line(f"Not done. {plain(end['reason'])}")
        print_line(f"  {plain(end['remedy'])}")
    if end["state"] != "done":
        raise typer.Exit(1)


def _print(result: Json, what: str) -> None:
    items, more = result["items"], result["left_out"]
    if items:
        rows = [(one["project"], one["kind"], plain(one["name"]), one["why"], _size(one["size"])) for one in items]
        print_table(("PROJECT", "KIND", "NAME", "WHY", "SIZE"), rows)
    if more:
        print_line(f"And {more} more that had no room here.")
    total = sum(one["size"] or 0 for one in items)
    print_line(
        f"{len(items) + more} {what}, {_size(total)} at most: images share parts." if items else f"Nothing {what}."
    )


def _size(size: int | None) -> str:
    return "" if size is None else f"{size / _MIB:,.1f} MiB"
