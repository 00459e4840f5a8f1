"""`windlass webhook`."""

from typing import Annotated

import typer

from windlass.api import Api, Json
from windlass.commands.paths import project_path
from windlass.commands.running import AsJson, print_json, print_line, run

_WAYS = (("github", "GitHub"), ("signed", "Every other sender"))


def webhook(project: Annotated[str, typer.Argument(help="The project.")], *, as_json: AsJson = False) -> None:
    """Show where pushes are announced, and the secrets to sign with: whoever knows them can deploy."""

    async def ask(api: Api) -> Json:
        return await api.get(f"{project_path(project)}/webhooks")

    found = run(ask)
    if as_json:
        print_json(found)
        return
    for key, title in _WAYS:
        way = found[key]
        print_line(f"{title}\n  address  {way['url']}\n  secret   {way['secret']}")
        for number, step in enumerate(way["steps"], start=1):
            print_line(f"  {number}. {step}")
        print_line("")
    print_line(found["note"])
