"""`windlass domains`: hosts of somebody's own, and the environments that they answer with."""

from typing import Annotated

import typer

from windlass.api import Api, Json
from windlass.commands.paths import domain_path, project_path
from windlass.commands.running import AsJson, print_json, print_line, run
from windlass.commands.table import print_table
from windlass.errors import BadInputError
from windlass.terminal import age, plain

_ADD, _REMOVE = "add", "remove"


def domains(
    words: Annotated[
        list[str],
        typer.Argument(metavar="PROJECT [add HOST | remove HOST]", help="Whose domains to list or to change."),
    ],
    *,
    environment: Annotated[
        str, typer.Option("--environment", "-e", help="What an added host answers with.")
    ] = "production",
    as_json: AsJson = False,
) -> None:
    """List a project's domains, add one, or remove one. Adding one that it has moves it to another environment."""
    match words:
        case [project]:
            _list(project, as_json=as_json)
        case [project, first, host] if first == _ADD:
            _add(project, host, environment, as_json=as_json)
        case [project, first, host] if first == _REMOVE:
            _remove(project, host, as_json=as_json)
        case _:
            raise BadInputError(
                "That is neither a project nor a change of its domains.",
                "`windlass domains PROJECT`, `windlass domains PROJECT add HOST`, or `… remove HOST`.",
            )


def _list(project: str, *, as_json: bool) -> None:
    async def ask(api: Api) -> Json:
        return await api.get(f"{project_path(project)}/domains")

    found = run(ask)
    if as_json:
        print_json(found)
    elif not found:
        print_line(f"There is none: windlass domains {plain(project)} add www.example.com")
    else:
        print_table(("HOST", "ENVIRONMENT", "ROUTED", "CNAME TO", "ADDED"), [_cells(one) for one in found])


def _cells(one: Json) -> tuple[str, ...]:
    routed = "yes" if one["answers"] else "not yet"
    return one["host"], one["environment"], routed, one["point_to"], f"{age(one['assigned_at'])} ago"


def _add(project: str, host: str, environment: str, *, as_json: bool) -> None:
    async def send(api: Api) -> Json:
        return await api.put(domain_path(project, host), {"environment": environment})

    done = run(send)
    if as_json:
        print_json(done)
    else:
        print_line(f"{plain(done['host'])} answers with {plain(done['environment'])} of {plain(project)}.")
        print_line(plain(done["next"]))


def _remove(project: str, host: str, *, as_json: bool) -> None:
    async def send(api: Api) -> Json:
        return await api.delete(domain_path(project, host))

    done = run(send)
    if as_json:
        print_json(done)
    else:
        print_line(f"Removed: {plain(host)} answers no more.")
