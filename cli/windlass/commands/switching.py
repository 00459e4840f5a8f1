"""Asking for rollbacks, promotions and weights, and waiting for them."""

import time
from contextlib import aclosing

from windlass.api import Api, Json
from windlass.commands.following import EventFollower
from windlass.errors import RefusedError

_ANSWERS = ["aliases.changed", "weight.changed", "routes.applied", "routes.failed"]
_NO_STATUS = 0


async def switched(api: Api, path: str, body: Json, *, wait: bool) -> Json:
    """Ask for it, and wait until it is done if that is wanted; return what was asked for, and how long it took.

    Raises:
        RefusedError: it could not be done.
    """
    since = time.monotonic()
    accepted = await api.post(path, body)
    if wait:
        await _applied(api, accepted)
    return {**accepted, "applied": wait, "duration_ms": int((time.monotonic() - since) * 1_000)}


async def stopped(api: Api, path: str, body: Json, *, wait: bool) -> Json:
    """Stop a rollout, and wait until the proxies send nothing to it any more if that is wanted."""
    accepted = await api.post(path, body)
    if wait and accepted["weighed"] is not None:
        await _applied(api, accepted, stops=accepted["weighed"])
    return {**accepted, "applied": wait or accepted["weighed"] is None}


async def _applied(api: Api, accepted: Json, stops: str | None = None) -> None:
    """Wait until the routes that the request asked for are confirmed.

    What `stops` may lose its weight by something else that came first: it gets nothing any more by that, too.

    Raises:
        RefusedError: it could not be done.
    """
    generation: int | None = None
    follower = EventFollower(api, accepted["sequence"], {"project": accepted["project"], "type": _ANSWERS})
    async with aclosing(follower.follow()) as events:
        async for event in events:
            data = event["data"]
            match event["type"]:
                case "aliases.changed.v1" | "weight.changed.v1" if data["request"] == accepted["request"]:
                    generation = event["sequence"]
                case "weight.changed.v1" if data["weight"] == 0 and data["deployment"] == stops:
                    generation = event["sequence"]
                case "routes.applied.v1" if generation is not None and data["generation"] >= generation:
                    return
                case "routes.failed.v1" if data["request"] == accepted["request"]:
                    raise RefusedError(_NO_STATUS, data["reason"], "The addresses answer as before.")
