"""`windlass events`."""

import json
from typing import Annotated

import typer

from windlass.api import Api, Json
from windlass.commands.running import AsJson, print_json, print_line, run
from windlass.terminal import plain

_SHORT_ID = 8


def events(
    after: Annotated[int | None, typer.Option(min=0, help="Begin behind this sequence of the log.")] = None,
    project: Annotated[str | None, typer.Option(help="Only this project's.")] = None,
    kind: Annotated[list[str] | None, typer.Option("--type", help="Only this type, such as deployment.live.")] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with those still to come.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the events of the log: all up to now; with --follow those from now on, as they happen."""
    query = {"after": after, "project": project, "type": kind or None, "follow": "true" if follow else None}

    async def stream(api: Api) -> None:
        async for event in api.lines("/events", query):
            if as_json:
                print_json(event)
            else:
                print_line(_line(event))

    run(stream)


def _line(event: Json) -> str:
    about = event["about"].replace("-", "")[:_SHORT_ID]
    data = json.dumps(event["data"], ensure_ascii=False)
    return plain(
        f"{event['sequence']:>7}  {event['time'][:23]}  {event['type']:<26}  {event['actor']:<18}  {about}  {data}"
    )
