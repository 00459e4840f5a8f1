"""Streams that are followed to their end: resumed where they broke off, without gap or double."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any

from windlass.api import Api, Json
from windlass.commands.paths import deployment_path
from windlass.errors import CommandError, InterruptedStreamError, UnreachableError

_TRIES = 20
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0


class EventFollower:
    """The events behind a sequence, and those still to come."""

    def __init__(self, api: Api, after: int | None, query: Mapping[str, Any]) -> None:
        self._api = api
        self._after = after
        self._query = query

    async def follow(self) -> AsyncGenerator[Json, None]:
        """Yield the events, through restarts of the gateway.

        Raises:
            CommandError: the stream cannot be had, or not any more.
        """
        async with aclosing(persistently(self._open)) as events:
            async for event in events:
                self._after = event["sequence"]
                yield event

    def _open(self) -> AsyncGenerator[Json, None]:
        return self._api.lines("/events", {**self._query, "after": self._after, "follow": "true"})


class LineFollower:
    """The lines of a deployment, each once."""

    def __init__(self, api: Api, deployment: str, at_least: int = 0) -> None:
        self._api = api
        self._at_least = at_least
        self._path = f"{deployment_path(deployment)}/logs"
        self._seen: dict[str, int] = {}
        self._last: Json = None

    async def follow(self) -> AsyncGenerator[Json, None]:
        """Yield the lines and those still to come, through restarts of the gateway.

        Raises:
            CommandError: the stream cannot be had, or not any more.
        """
        async with aclosing(persistently(lambda: self._open("true"))) as lines:
            async for line in lines:
                if self._is_new(line):
                    yield line

    async def rest(self) -> AsyncGenerator[Json, None]:
        """Yield what is stored by now and was not yielded yet."""
        async with aclosing(self._open(None)) as lines:
            async for line in lines:
                if self._is_new(line):
                    yield line

    def _open(self, follow: str | None) -> AsyncGenerator[Json, None]:
        cursor = {} if self._last is None else {"source": self._last["source"], "line": self._last["line"]}
        return self._api.lines(self._path, {"follow": follow, "at_least": self._at_least, **cursor})

    def _is_new(self, line: Json) -> bool:
        if line["line"] <= self._seen.get(line["source"], -1):
            return False
        self._seen[line["source"]] = line["line"]
        self._last = line
        return True


async def persistently(open_stream: Callable[[], AsyncGenerator[Json, None]]) -> AsyncGenerator[Json, None]:
    """Yield from a stream, opened again with growing pauses when it breaks off, 20 times in a row at most."""
    failures = 0
    while True:
        why: CommandError = InterruptedStreamError("The stream ended.", "`windlass doctor` shows whether all runs.")
        try:
            async with aclosing(open_stream()) as stream:
                async for item in stream:
                    failures = 0
                    yield item
        except (UnreachableError, InterruptedStreamError) as error:
            why = error
        failures += 1
        if failures > _TRIES:
            raise why
        await asyncio.sleep(min(_FIRST_PAUSE_SECONDS * 2**failures, _LONGEST_PAUSE_SECONDS))
