"""`windlass rebuild`: rows folded from the log anew, beside the live ones, and put in their place."""

from functools import partial
from typing import Annotated

import typer

from windlass.api import Api, Json
from windlass.commands.operations import SERVICES, carried_out, meant
from windlass.commands.progress import telling
from windlass.commands.running import AsJson, print_json, print_line, run
from windlass.errors import BadInputError
from windlass.terminal import plain


def rebuild(
    services: Annotated[list[str] | None, typer.Argument(metavar="[SERVICE]...", help=", ".join(SERVICES))] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All services, one after the other.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fold a service's rows from the log anew. The live ones go on until the new ones take their place."""
    if every == bool(services):
        raise BadInputError(
            "Nobody said which rows to rebuild." if not every else "Either some services, or all of them.",
            f"Name some of {', '.join(SERVICES)}; or give --all.",
        )
    wanted = SERVICES if every else meant(services or [])

    async def rebuilt(api: Api) -> bool:
        good = True
        with telling(silent=as_json) as teller:
            for service in wanted:
                end = await carried_out(api, service, "rebuild", partial(teller.tell, service))
                good = good and end["state"] == "done"
                _say(service, end, as_json=as_json)
        return good

    if not run(rebuilt):
        raise typer.Exit(1)


def _say(service: str, end: Json, *, as_json: bool) -> None:
    if as_json:
        print_json({"service": service, **end})
    elif end["state"] == "done":
        result = end["result"]
        took = f"{result['sequence']:,} events in {result['seconds']:.1f} s"
        print_line(f"{service}: rebuilt from {took}; the new rows are in place.")
    else:
        print_line(f"{service}: not rebuilt. {plain(end['reason'])}")
        print_line(f"  {plain(end['remedy'])}")
