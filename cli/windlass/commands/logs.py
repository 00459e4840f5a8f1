"""`windlass logs`."""

import re
from contextlib import aclosing
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

import typer
from rich.console import Console

from windlass.api import Api, Json
from windlass.commands.following import LineFollower
from windlass.commands.paths import deployment_path, project_path
from windlass.commands.running import AsJson, EnvironmentOption, print_json, print_line, run
from windlass.errors import BadInputError, RefusedError
from windlass.terminal import coloured, plain

_ID = re.compile(r"[0-9a-f-]{4,36}")
_NANOSECONDS = 1_000_000_000


def logs(
    of: Annotated[str, typer.Argument(metavar="DEPLOYMENT|PROJECT", help="A deployment's id, or a project.")],
    environment: EnvironmentOption = "production",
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with the lines still to come.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the lines of a deployment's builds and containers; of a project, those of what is live or latest."""
    has_colours = Console().is_terminal and not Console().no_color
    show = coloured if has_colours else plain

    async def stream(api: Api) -> None:
        follower = LineFollower(api, await _deployment(api, of, environment))
        async with aclosing(follower.follow() if follow else follower.rest()) as lines:
            async for line in lines:
                if as_json:
                    print_json(line)
                else:
                    moment = datetime.fromtimestamp(line["time_ns"] / _NANOSECONDS, UTC).astimezone()
                    print_line(f"{moment:%H:%M:%S}  {plain(line['source'])} | {show(line['text'])}")

    run(stream)


async def _deployment(api: Api, of: str, environment: str) -> str:
    """Return the deployment that is meant: what a project's environment answers with, else its latest one."""
    if not await _is_project(api, of):
        if not _ID.fullmatch(of):
            raise BadInputError(f"There is no project {of[:40]!r}.", "`windlass ps` lists projects and deployments.")
        found = await api.get(deployment_path(of))
        return str(found["id"])
    query = {"project": of, "environment": environment, "limit": 200}
    deployments: list[Json] = await api.get("/deployments", query)
    if not deployments:
        raise BadInputError(f"Nothing was deployed to {environment} of {of} yet.", "`windlass deploy` does.")
    return str(next((one for one in deployments if one["current"]), deployments[0])["id"])


async def _is_project(api: Api, name: str) -> bool:
    try:
        await api.get(project_path(name))
    except RefusedError as refused:
        if refused.status == HTTPStatus.NOT_FOUND:
            return False
        raise
    return True
