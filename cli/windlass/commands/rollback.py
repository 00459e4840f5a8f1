"""`windlass rollback`."""

from typing import Annotated

import typer

from windlass.commands.paths import project_path
from windlass.commands.running import AsJson, EnvironmentOption, print_json, print_line, run
from windlass.commands.switching import switched
from windlass.terminal import duration


def rollback(
    project: Annotated[str, typer.Argument(help="The project.")],
    to: Annotated[str | None, typer.Option(help="The deployment to go back to; the one before, if not given.")] = None,
    environment: EnvironmentOption = "production",
    *,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it answers.")] = True,
    as_json: AsJson = False,
) -> None:
    """Let a project answer with an earlier version again, with its configuration and variables of that day."""
    path, body = f"{project_path(project)}/rollback", {"to": to, "environment": environment}
    done = run(lambda api: switched(api, path, body, wait=wait))
    if as_json:
        print_json(done)
    elif wait:
        print_line(f"{project} answers with deployment {done['to']} after {duration(done['duration_ms'])}.")
        print_line(
            f"Pushes to {environment} are built and wait at their own address, until you "
            f"`windlass release {project}{'' if environment == 'production' else f' --environment {environment}'}`."
        )
    else:
        print_line(f"The rollback to deployment {done['to']} was requested.")
