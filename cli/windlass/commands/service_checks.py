"""Whether each service is at work: asked for itself, for what it appended last says nothing of now."""

import asyncio
from collections.abc import Sequence

from windlass.api import Api, Json
from windlass.commands.operations import carried_out
from windlass.commands.verdict import Check, Verdict
from windlass.errors import CommandError
from windlass.terminal import age, plain


async def check_services(api: Api, services: Sequence[Json]) -> list[Check]:
    """Ask all at once; one that is silent is waited for, up to 15 s."""
    return await asyncio.gather(*(_check(api, one) for one in services))


async def _check(api: Api, service: Json) -> Check:
    name = service["name"]
    try:
        state = await carried_out(api, name, "state", lambda _: None)
    except CommandError as error:  # it is at another operation, or this token may not ask
        return Check(name, Verdict.GOOD, f"{_appended(service)} It was not asked: {plain(error.what)}")
    if state["state"] != "done":
        return Check(name, Verdict.BAD, plain(state["reason"]), plain(state["remedy"]))
    halt = state["result"].get("halt")
    if halt is not None:
        return Check(name, Verdict.BAD, f"Its rows stand still: {plain(halt['why'])}", "See `windlass quarantine`.")
    return Check(name, Verdict.GOOD, f"answers; {_appended(service)}")


def _appended(service: Json) -> str:
    if service["last_at"] is None:
        return "has appended nothing yet."
    return f"appended {service['last_type']} {age(service['last_at'])} ago."
