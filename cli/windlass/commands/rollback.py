"""`windlass rollback`."""

import time
from contextlib import aclosing
from typing import Annotated

import typer

from windlass.api import Api, Json
from windlass.commands.following import EventFollower
from windlass.commands.paths import project_path
from windlass.commands.running import AsJson, EnvironmentOption, print_json, print_line, run
from windlass.errors import RefusedError
from windlass.terminal import duration

_ANSWERS = ["aliases.changed", "routes.applied", "routes.failed"]
_NO_STATUS = 0


def rollback(
    project: Annotated[str, typer.Argument(help="The project.")],
    to: Annotated[str | None, typer.Option(help="The deployment to go back to; the one before, if not given.")] = None,
    environment: EnvironmentOption = "production",
    *,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it answers.")] = True,
    as_json: AsJson = False,
) -> None:
    """Let a project answer with an earlier version again, with its configuration and variables of that day."""

    async def ask(api: Api) -> Json:
        since = time.monotonic()
        accepted = await api.post(f"{project_path(project)}/rollback", {"to": to, "environment": environment})
        if wait:
            await _applied(api, project, accepted)
        return {**accepted, "applied": wait, "duration_ms": int((time.monotonic() - since) * 1_000)}

    done = run(ask)
    if as_json:
        print_json(done)
    elif wait:
        print_line(f"{project} answers with deployment {done['to']} after {duration(done['duration_ms'])}.")
    else:
        print_line(f"The rollback to deployment {done['to']} was requested.")


async def _applied(api: Api, project: str, accepted: Json) -> None:
    """Wait until the routes that the request asked for are confirmed.

    Raises:
        RefusedError: it could not be done.
    """
    generation: int | None = None
    follower = EventFollower(api, accepted["sequence"], {"project": project, "type": _ANSWERS})
    async with aclosing(follower.follow()) as events:
        async for event in events:
            data = event["data"]
            match event["type"]:
                case "aliases.changed.v1" if data["request"] == accepted["request"]:
                    generation = event["sequence"]
                case "routes.applied.v1" if generation is not None and data["generation"] >= generation:
                    return
                case "routes.failed.v1" if data["request"] == accepted["request"]:
                    raise RefusedError(_NO_STATUS, data["reason"], "The addresses answer as before.")
