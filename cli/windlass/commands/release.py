"""`windlass release`."""

from typing import Annotated

import typer

from windlass.api import Api, Json
from windlass.commands.paths import environment_path
from windlass.commands.running import AsJson, EnvironmentOption, print_json, print_line, run


def release(
    project: Annotated[str, typer.Argument(help="The project.")],
    environment: EnvironmentOption = "production",
    *,
    as_json: AsJson = False,
) -> None:
    """Let an environment that was rolled back take what is pushed again."""

    async def ask(api: Api) -> Json:
        return await api.post(f"{environment_path(project, environment)}/release", None)

    done = run(ask)
    if as_json:
        print_json(done)
    else:
        print_line(f"{environment} of {project} takes the next push. What was pushed meanwhile waits to be promoted.")
