"""Waiting for what rollbacks and promotions ask for."""

from contextlib import aclosing

from windlass.api import Api, Json
from windlass.commands.following import EventFollower
from windlass.errors import RefusedError

_ANSWERS = ["aliases.changed", "routes.applied", "routes.failed"]
_NO_STATUS = 0


async def applied(api: Api, accepted: Json) -> None:
    """Wait until the routes that the request asked for are confirmed.

    Raises:
        RefusedError: it could not be done.
    """
    generation: int | None = None
    follower = EventFollower(api, accepted["sequence"], {"project": accepted["project"], "type": _ANSWERS})
    async with aclosing(follower.follow()) as events:
        async for event in events:
            data = event["data"]
            match event["type"]:
                case "aliases.changed.v1" if data["request"] == accepted["request"]:
                    generation = event["sequence"]
                case "routes.applied.v1" if generation is not None and data["generation"] >= generation:
                    return
                case "routes.failed.v1" if data["request"] == accepted["request"]:
                    raise RefusedError(_NO_STATUS, data["reason"], "The addresses answer as before.")
