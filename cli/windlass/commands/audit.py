"""`windlass audit`: what was refused to whom, and what operators did."""

from typing import Annotated

import typer

from windlass.api import Api, Json
from windlass.commands.running import AsJson, print_json, print_line, run
from windlass.commands.table import print_table
from windlass.terminal import age

_MOST = 1_000
_HEADER = ("WHEN", "STATUS", "CODE", "OPERATION", "ACTOR", "NETWORK", "LEFT OUT")


def audit(
    *,
    actor: Annotated[
        str | None, typer.Option(help="Only what this one asked for: person:ID, token:ID, webhook:ID or anonymous.")
    ] = None,
    code: Annotated[str | None, typer.Option(help="Only refusals of this code, or done for what was done.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=_MOST, help="How many, the newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show refused requests and operators' acts, the newest first."""

    async def listed(api: Api) -> Json:
        return await api.get("/audit", {"actor": actor, "code": code, "limit": limit})

    found = run(listed)
    if as_json:
        print_json(found)
    elif found:
        print_table(_HEADER, [_row(one) for one in found])
    else:
        print_line("Nothing like that was refused, and no operator did anything like that.")


def _row(one: Json) -> tuple[str, ...]:
    left_out = str(one["left_out"]) if one["left_out"] else ""
    return (
        f"{age(one['at'])} ago",
        str(one["status"]),
        one["code"],
        one["operation"],
        one["actor"],
        one["network"],
        left_out,
    )
