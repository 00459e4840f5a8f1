"""`windlass env`: a project's variables. Values go in, and never come out."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from windlass.api import Api, Json
from windlass.commands.env_file import read_env_file
from windlass.commands.paths import project_path, variable_path
from windlass.commands.running import AsJson, print_json, print_line, run
from windlass.commands.table import print_table
from windlass.errors import BadInputError
from windlass.terminal import age, plain

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Set, remove and list a project's variables.")

Project = Annotated[str, typer.Argument(help="The project.")]
OnlyIn = Annotated[str | None, typer.Option("--environment", "-e", help="Only for this one; else for each.")]
_EFFECT = "The next deployment gets it; those that exist keep what they have."


@app.command("set")
def set_variables(
    project: Project,
    assignments: Annotated[list[str], typer.Argument(help="NAME=VALUE; for NAME alone the value is asked for.")],
    environment: OnlyIn = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Set variables for the deployments to come."""
    values = dict(map(_value, assignments))

    async def send(api: Api) -> tuple[list[Json], list[Json]]:
        bodies = {name: {"value": value, "environment": environment} for name, value in values.items()}
        done = [await api.put(variable_path(project, name), body) for name, body in bodies.items()]
        return done, [] if environment else await api.get(f"{project_path(project)}/variables")

    done, known = run(send)
    if as_json:
        print_json({"variables": list(values), "sequence": done[-1]["sequence"]})
        return
    print_line(f"Set {', '.join(values)}. {_EFFECT}")
    for name, place in ((one["name"], one["environment"]) for one in known if one["environment"]):
        if name in values:
            print_line(
                f"{place} keeps the {name} that was set for it alone: "
                f"change that with `windlass env set {project} {name} --environment {place}`."
            )


@app.command("import")
def import_variables(
    project: Project,
    file: Annotated[Path, typer.Argument(help="A .env file.")],
    environment: OnlyIn = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="Say what it would do, and do nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Set all variables of a .env file for the deployments to come; others stay as they are."""
    body = {"env_file": read_env_file(file), "environment": environment}

    async def send(api: Api) -> Json:
        path = f"{project_path(project)}/variables"
        preview = await api.post(f"{path}/preview", body)
        done = {} if check else await api.put(path, body)
        return {**preview, **done}

    done = run(send)
    if as_json:
        print_json(done)
        return
    for title, names in (("Added", done["added"]), ("Replaced", done["replaced"])):
        if names:
            print_line(f"{title}: {', '.join(names)}")
    for remark in (*done["unreadable"], *done["remarks"]):
        print_line(f"Line {remark['line']}: {remark['text']}")
    print_line("Nothing was set: leave out --check to set them." if check else _EFFECT)


@app.command("unset")
def unset_variables(
    project: Project,
    names: Annotated[list[str], typer.Argument(help="The variables' names.")],
    environment: OnlyIn = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Remove variables for the deployments to come."""

    async def send(api: Api) -> list[Json]:
        return [await api.delete(variable_path(project, name), {"environment": environment}) for name in names]

    done = run(send)
    if as_json:
        print_json({"variables": names, "sequence": done[-1]["sequence"]})
    else:
        print_line(f"Removed {', '.join(names)}. {_EFFECT.replace('gets it', 'goes without')}")


@app.command("shred")
def shred_variable(
    project: Project,
    name: Annotated[str, typer.Argument(help="The variable's name.")],
    environment: OnlyIn = None,
    *,
    replaced: Annotated[bool, typer.Option("--replaced", help="Only the values before the present one.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove a variable and delete all its values for good, those that rollbacks would need too."""
    path, wanted = f"{variable_path(project, name)}/shredding", {"environment": environment, "replaced": replaced}

    async def preview(api: Api) -> Json:
        return await api.get(path, {**wanted, "replaced": str(replaced).lower()})

    async def shred(api: Api) -> Json:
        return await api.post(path, wanted)

    if not yes:
        _confirm(name, run(preview), replaced=replaced)
    done = run(shred)
    if as_json:
        print_json(done)
    else:
        print_line(f"Shredded {_values(done['values'])} of {name}. Containers that run keep what they were given.")


@app.command("list")
def list_variables(project: Project, *, as_json: AsJson = False) -> None:
    """List the names of the variables that the next deployment gets."""

    async def ask(api: Api) -> Json:
        return await api.get(f"{project_path(project)}/variables")

    found = run(ask)
    if as_json:
        print_json(found)
    elif found:
        rows = [(one["name"], one["environment"] or "every", f"{age(one['set_at'])} ago") for one in found]
        print_table(("NAME", "ENVIRONMENT", "SET"), rows)
    else:
        print_line(f"No variable is set: windlass env set {project} NAME=VALUE")


def _value(assignment: str) -> tuple[str, str]:
    """Return name and value; a value that is not given is read where nobody sees it and no history keeps it."""
    name, given, value = assignment.partition("=")
    if given:
        return name, value
    if sys.stdin.isatty():
        return name, typer.prompt(name, hide_input=True)
    return name, sys.stdin.read().removesuffix("\n")


_LOSSES = {
    "live": "answers now: it goes on, but no new container of it can be started",
    "under way": "is under way: it fails if it was not started yet",
    "rollback": "can not be rolled back to any more",
}


def _confirm(name: str, found: Json, *, replaced: bool) -> None:
    """Say what shredding costs, and ask.

    Raises:
        BadInputError: nobody can be asked.
    """
    removed = f", and {name} is removed" if found["removes"] else ""
    print_line(f"{_values(found['values'])} of {name} will be deleted for good{removed}.")
    for one in found["affected"]:
        commit = f" (commit {one['commit'][:12]})" if one["commit"] else ""
        print_line(f"Deployment {one['id'][:8]} in {plain(one['environment'])}{commit} {_LOSSES[one['loss']]}.")
    if any(one["loss"] == "live" for one in found["affected"]) and not replaced:
        print_line("Deploy again without it first, unless it has to be gone at once.")
    if not sys.stdin.isatty():
        raise BadInputError("Nothing was shredded: there is nobody to ask.", "Say --yes if that is what you want.")
    typer.confirm("Shred?", abort=True)


def _values(count: int) -> str:
    return "1 value" if count == 1 else f"{count} values"
