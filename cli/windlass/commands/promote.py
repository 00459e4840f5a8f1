"""`windlass promote`."""

from typing import Annotated

import typer

from windlass.commands.paths import deployment_path
from windlass.commands.running import AsJson, print_json, print_line, run
from windlass.commands.switching import switched
from windlass.terminal import duration


def promote(
    deployment: Annotated[str, typer.Argument(help="Its id, or 4 or more characters of its beginning.")],
    to: Annotated[str, typer.Option(help="The environment that shall answer with it.")] = "production",
    *,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it answers.")] = True,
    as_json: AsJson = False,
) -> None:
    """Let an environment answer with a deployment that was live, with its own configuration and variables."""
    path, body = f"{deployment_path(deployment)}/promote", {"to": to}
    done = run(lambda api: switched(api, path, body, wait=wait))
    if as_json:
        print_json(done)
    elif wait:
        took = duration(done["duration_ms"])
        print_line(f"{done['environment']} of {done['project']} answers with deployment {done['to']} after {took}.")
    else:
        print_line(f"The promotion of deployment {done['to']} to {done['environment']} was requested.")
