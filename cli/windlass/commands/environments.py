"""`windlass environments`: which pushes go to which environment."""

from typing import Annotated

import typer

from windlass.api import Api, Json
from windlass.commands.paths import environment_path, project_path
from windlass.commands.running import AsJson, print_json, print_line, run
from windlass.commands.table import print_table
from windlass.terminal import age

app = typer.Typer(no_args_is_help=True, add_completion=False, help="List environments, and say which pushes go there.")

Project = Annotated[str, typer.Argument(help="The project.")]


@app.command("list")
def list_environments(project: Project, *, as_json: AsJson = False) -> None:
    """List a project's environments, whose pushes go there, and where they answer."""

    async def ask(api: Api) -> Json:
        return (await api.get(project_path(project)))["environments"]

    found = run(ask)
    if as_json:
        print_json(found)
    else:
        print_table(
            ("ENVIRONMENT", "BRANCHES", "ADDRESS", "PUSHES", "UPTIME, 24 H"),
            [(one["name"], _taken(one), one["url"] or "", _held(one), _uptime(one)) for one in found],
        )


@app.command("set")
def set_branches(
    project: Project,
    environment: Annotated[str, typer.Argument(help="The environment; it is made, if it does not exist yet.")],
    branches: Annotated[
        list[str] | None, typer.Argument(help="Branches or patterns like 'release/*' or '**'; none takes all away.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Let pushes of these branches, and of no others, go to an environment."""

    async def send(api: Api) -> Json:
        await api.put(environment_path(project, environment), {"branches": branches or []})
        return await api.get(environment_path(project, environment))

    view = run(send)
    if as_json:
        print_json(view)
    else:
        print_line(f"Pushes that go to {environment}: {_taken(view)}.")


def _held(environment: Json) -> str:
    held = environment["held"]
    return "taken" if held is None else f"held back since the rollback {age(held['at'])} ago"


def _uptime(environment: Json) -> str:
    day = (environment.get("uptime") or {}).get("day")
    return "-" if day is None else f"{day:g} %"


def _taken(environment: Json) -> str:
    if environment["takes_default_branch"]:
        return "the default branch"
    return ", ".join(environment["branches"]) or "none"
