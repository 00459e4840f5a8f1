"""`windlass volumes`: the folders of projects that outlive deployments; and the one way to delete one."""

from functools import partial
from typing import Annotated
from urllib.parse import quote

import typer

from windlass.api import Api, Json
from windlass.commands.operations import followed
from windlass.commands.paths import project_path
from windlass.commands.progress import telling
from windlass.commands.running import AsJson, print_json, print_line, run
from windlass.commands.table import print_table
from windlass.errors import BadInputError
from windlass.terminal import age, plain

_REMOVE = "remove"
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024


def volumes(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PROJECT] | remove PROJECT ENVIRONMENT NAME", help="What to list, or to remove."),
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """List volumes: where they lie, how much is in them, and what has them mounted; or remove one for ever.

    A volume that something has mounted is not removed. What was in a removed one is gone.
    """
    match words or []:
        case []:
            _list({}, as_json=as_json)
        case [project]:
            _list({"project": project}, as_json=as_json)
        case [first, project, environment, name] if first == _REMOVE:
            _remove(project, environment, name, yes=yes, as_json=as_json)
        case _:
            raise BadInputError(
                "That is neither a project nor a removal.",
                "`windlass volumes [PROJECT]`, or `windlass volumes remove PROJECT ENVIRONMENT NAME`.",
            )


def _list(query: dict[str, str], *, as_json: bool) -> None:
    async def ask(api: Api) -> Json:
        return await api.get("/volumes", query)

    found = run(ask)
    if as_json:
        print_json(found)
    elif not found:
        print_line("No node keeps a volume; one that was made just now is listed within a minute.")
    else:
        header = ("PROJECT", "ENVIRONMENT", "NAME", "NODE", "SIZE", "MEASURED", "MOUNTED BY")
        print_table(header, [_cells(one) for one in found])


def _cells(one: Json) -> tuple[str, ...]:
    mounted = ", ".join(identity.replace("-", "")[:8] for identity in one["mounted"]) or "nothing"
    names = (one["project"], one["environment"], one["name"], one["node"])
    return (*names, size(one["size"]), age(one["at"]), mounted)


def _remove(project: str, environment: str, name: str, *, yes: bool, as_json: bool) -> None:
    if not yes:
        print_line(f"The volume {plain(name)} of {plain(project)} in {plain(environment)} and all that is in it goes.")
        if typer.prompt("Its name again, to delete it for ever", default="", show_default=False) != name:
            raise BadInputError("That is another name: nothing was deleted.", "Type the volume's name, or give --yes.")

    async def removed(api: Api) -> Json:
        path = f"{project_path(project)}/volumes/{quote(name, safe='')}"
        with telling(silent=as_json) as teller:
            asked = await api.delete(path, {"environment": environment})
            return await followed(api, "builder", asked["id"], partial(teller.tell, "builder"))

    end = run(removed)
    if as_json:
        print_json(end)
    elif end["state"] == "done":
        print_line(f"Deleted: {size(end['result']['items'][0].get('size') or 0)}.")
    else:
        print_line(f"Not done. {plain(end['reason'])}")
        print_line(f"  {plain(end['remedy'])}")
    if end["state"] != "done":
        raise typer.Exit(1)


def size(count: int) -> str:
    """Return bytes as people read them: `12.3 MiB`."""
    amount, unit = float(count), 0
    while amount >= _STEP and unit < len(_UNITS) - 1:
        amount, unit = amount / _STEP, unit + 1
    return f"{amount:.1f} {_UNITS[unit]}" if unit else f"{count} B"
