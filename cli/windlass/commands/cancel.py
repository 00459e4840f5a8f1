"""`windlass cancel`."""

from typing import Annotated

import typer

from windlass.api import Api, Json
from windlass.commands.paths import deployment_path
from windlass.commands.running import AsJson, print_json, print_line, run


def cancel(
    deployment: Annotated[str, typer.Argument(help="Its id, or 4 or more characters of its beginning.")],
    *,
    as_json: AsJson = False,
) -> None:
    """End a deployment before its cutover; what is live stays live."""

    async def ask(api: Api) -> Json:
        return await api.post(f"{deployment_path(deployment)}/cancel", None)

    canceled = run(ask)
    if as_json:
        print_json(canceled)
    else:
        print_line(f"Deployment {canceled['deployment']} was canceled.")
