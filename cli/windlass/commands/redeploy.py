"""`windlass redeploy`."""

from typing import Annotated
from uuid import uuid4

import typer

from windlass.api import Api, Json
from windlass.commands.deploy import watched
from windlass.commands.paths import deployment_path
from windlass.commands.running import AsJson, run


def redeploy(
    deployment: Annotated[str, typer.Argument(help="Its id, or 4 or more characters of its beginning.")],
    *,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Watch it until it ends.")] = True,
    as_json: AsJson = False,
) -> None:
    """Deploy the same commit again, with the project's configuration and variables of now.

    Exits with 0 if it went live, with 1 if not.
    """

    async def ask(api: Api) -> Json:
        accepted = await api.post(f"{deployment_path(deployment)}/redeploy", None, {"Idempotency-Key": str(uuid4())})
        return await watched(api, accepted, wait=wait, as_json=as_json)

    view = run(ask)
    if wait and view["phase"] != "live":
        raise typer.Exit(1)
