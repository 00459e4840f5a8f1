"""Asking through an outage: what does no harm when it is done twice is asked again until somebody answers."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeVar
from uuid import uuid4

from windlass.api import Api, Json
from windlass.errors import (
    CommandError,
    InterruptedStreamError,
    OutOfSightError,
    RefusedError,
    UnansweredError,
    UnknownOutcomeError,
    UnreachableError,
)

T = TypeVar("T")

PATIENCE_SECONDS = 20.0
"""For so long is asked again: a gateway that starts anew is back by then."""
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 2.0


async def patiently(ask: Callable[[], Awaitable[T]], patience: float = PATIENCE_SECONDS) -> T:
    """Return the answer to what is asked again, with growing pauses, while nobody answers.

    Raises:
        UnreachableError, RefusedError: nobody does, for `patience` seconds; or the log cannot say whether it took it.
    """
    loop = asyncio.get_running_loop()
    until, pause = loop.time() + patience, _FIRST_PAUSE_SECONDS
    while True:
        try:
            return await ask()
        except (UnreachableError, RefusedError) as error:
            if not _is_open(error) or loop.time() + pause > until:
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


async def requested(
    api: Api, path: str, body: Json, what: str, find_out: str, patience: float = PATIENCE_SECONDS
) -> Json:
    """Return that a request was accepted, sent once more, with the same key, where its answer did not come.

    `what` names it in a sentence, `find_out` is the command that shows whether it was accepted.

    Raises:
        UnknownOutcomeError: nobody answers any more.
        UnreachableError: nobody was there from the start, so that it was not sent.
        CommandError: it is refused.
    """
    headers = {"Idempotency-Key": str(uuid4())}
    try:
        return await api.post(path, body, headers)
    except (UnansweredError, RefusedError) as error:
        if not _is_open(error):
            raise
    try:
        return await patiently(lambda: api.post(path, body, headers), patience)
    except (UnreachableError, RefusedError) as error:
        if not _is_open(error):
            raise
        raise UnknownOutcomeError(what, error, find_out) from error


async def followed(following: Awaitable[T], what: str, find_out: str) -> T:
    """Return how what was accepted ended.

    Raises:
        OutOfSightError: nobody tells any more; it goes on.
        CommandError: it broke off.
    """
    try:
        return await following
    except (UnreachableError, InterruptedStreamError) as error:
        raise OutOfSightError(what, error, find_out) from error


def _is_open(error: CommandError) -> bool:
    """Tell whether the answer says nothing of what was asked."""
    return not isinstance(error, RefusedError) or error.status == HTTPStatus.SERVICE_UNAVAILABLE
