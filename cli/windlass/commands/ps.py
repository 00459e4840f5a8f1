"""`windlass ps`."""

from typing import Annotated

import typer

from windlass.api import Api, Json
from windlass.commands.running import AsJson, print_json, print_line, run
from windlass.commands.table import print_table
from windlass.terminal import age, duration

_EMPTY = "Nothing was deployed yet. The first deployment: windlass deploy --git https://github.com/owner/repository"
_SHORT_ID = 8
_SHORT_COMMIT = 7
_LONGEST_REF = 40


def ps(
    project: Annotated[str | None, typer.Argument(help="Only this project's deployments.")] = None,
    environment: Annotated[str | None, typer.Option("--environment", "-e", help="Only this one's.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 30,
    *,
    as_json: AsJson = False,
) -> None:
    """List deployments: what is live, what is under way, what ended how."""

    async def ask(api: Api) -> Json:
        return await api.get("/deployments", {"project": project, "environment": environment, "limit": limit})

    found = run(ask)
    if as_json:
        print_json(found)
    elif found:
        header = ("DEPLOYMENT", "PROJECT", "ENVIRONMENT", "STATE", "COMMIT", "REF", "AGE", "TOOK", "ADDRESS")
        print_table(header, [_cells(one) for one in found])
    else:
        print_line(_EMPTY)


def _cells(one: Json) -> tuple[str, ...]:
    return (
        one["id"].replace("-", "")[:_SHORT_ID],
        one["project"],
        one["environment"],
        _state(one),
        (one["commit"] or "-")[:_SHORT_COMMIT],
        _shortened(one["source"].get("ref") or "-"),
        age(one["requested_at"]),
        duration(one["total_ms"]),
        one["urls"][0] if one["urls"] else "-",
    )


def _shortened(ref: str) -> str:
    return ref if len(ref) <= _LONGEST_REF else f"{ref[: _LONGEST_REF - 1]}…"


def _state(one: Json) -> str:
    if (one.get("cancellation") or {}).get("code") == "unchanged":
        return "skipped"
    if one.get("share") is not None and not one["current"]:
        return f"gets {one['share']} %"
    if one.get("held_back"):
        return "held back"
    if one.get("taken_back"):
        return "taken back"
    state = "replaced" if one["phase"] == "live" and not one["current"] else str(one["phase"])
    return f"{state}, looping" if one.get("looping") else state
