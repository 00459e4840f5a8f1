"""`windlass explain`."""

from datetime import datetime
from typing import Annotated

import typer

from windlass.api import Api, Json
from windlass.commands.paths import deployment_path
from windlass.commands.running import AsJson, print_json, print_line, run
from windlass.terminal import age, plain


def explain(
    deployment: Annotated[str, typer.Argument(help="Its id, or 4 or more characters of its beginning.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Say what a deployment waits for, from whom and until when; or how it ended, and what to do."""

    async def ask(api: Api) -> Json:
        return await api.get(f"{deployment_path(deployment)}/explain")

    found = run(ask)
    if as_json:
        print_json(found)
        return
    print_line(plain(found["sentence"]))
    if found["awaits"] is not None:
        until = datetime.fromisoformat(found["until"]).astimezone()
        print_line(f"Since {age(found['since'])}; it fails if nothing comes by {until:%H:%M:%S}.")
    for remark in found["remarks"]:
        print_line(plain(remark))
    print_line(plain(found["next"]))
