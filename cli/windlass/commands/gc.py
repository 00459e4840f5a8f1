"""`windlass gc`: what no deployment needs any more, deleted now or only listed."""

from collections import Counter
from collections.abc import Mapping
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
    project: Annotated[str | None, typer.Argument(help="Of this project alone.")] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete what no deployment needs any more, as the builder does by itself each day.

    What an address points at or did before, what runs or is under way, and the last releases stay; volumes do always.
    """

    async def collected(api: Api) -> tuple[Json, Mapping[str, str]]:
        kind = "collectable" if dry_run else "collect"
        with telling(silent=as_json) as teller:
            end = await carried_out(api, "builder", kind, partial(teller.tell, "builder"), project)
        named = end["state"] == "done" and end["result"]["items"] and not as_json
        return end, {one["id"]: one["slug"] for one in await api.get("/projects")} if named else {}

    end, names = run(collected)
    if as_json:
        print_json(end)
    elif end["state"] == "done":
        _print(end["result"], names, "would go" if dry_run else "went")
    else:
        print_line(f"Not done. {plain(end['reason'])}")
        print_line(f"  {plain(end['remedy'])}")
    if end["state"] != "done":
        raise typer.Exit(1)


def _print(result: Json, names: Mapping[str, str], what: str) -> None:
    items, more = result["items"], result["left_out"]
    if not items:
        print_line(f"Nothing {what}.")
        return
    print_table(
        ("PROJECT", "KIND", "NAME", "WHY", "SIZE"),
        [(_project(one, names), one["kind"], one["name"], one["why"], _size(one.get("size"))) for one in items],
    )
    if more:
        print_line(f"And {more} more that had no room here.")
    kinds = Counter(one["kind"] for one in items)
    counted = ", ".join(f"{count} of the kind {plain(kind)}" for kind, count in kinds.items())
    total = sum(one.get("size") or 0 for one in items)
    print_line(f"{len(items) + more} {what} ({counted}), {_size(total)} at most: images share parts.")


def _project(one: Json, names: Mapping[str, str]) -> str:
    identity = one.get("project", "")
    return names.get(identity, identity)


def _size(size: int | None) -> str:
    return "" if size is None else f"{size / _MIB:,.1f} MiB"
