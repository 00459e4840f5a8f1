"""Watching one deployment until it ends."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

from windlass.api import Api, Json
from windlass.commands.following import EventFollower, LineFollower
from windlass.commands.paths import deployment_path
from windlass.commands.steps import ENDS, Steps
from windlass.commands.tellers import Teller
from windlass.errors import CommandError
from windlass.terminal import plain

_PLACE_EVERY_S = 1.0
"""The place changes with what other projects do, of which nobody else is told."""


@dataclass(frozen=True, slots=True)
class Watch:
    """One deployment, from its request, which stands in the log at `sequence`."""

    api: Api
    deployment: str
    project: str
    sequence: int
    teller: Teller

    async def until_ended(self) -> Json:
        """Tell its events and lines as they come; return the deployment as it ended.

        Raises:
            CommandError: it cannot be watched any more; it goes on nevertheless.
        """
        lines = LineFollower(self.api, self.deployment, self.sequence)
        telling = {asyncio.ensure_future(one) for one in (self._tell_lines(lines), self._tell_place())}
        try:
            end = await self._tell_events()
        finally:
            for one in telling:
                one.cancel()
            await asyncio.wait(telling)
        await self._tell_rest(lines)
        return await self.api.get(deployment_path(self.deployment), {"at_least": end})

    async def _tell_events(self) -> int:
        steps = Steps()
        follower = EventFollower(self.api, self.sequence - 1, {"project": self.project, "at_least": self.sequence})
        async with aclosing(follower.follow()) as events:
            async for event in events:
                if event["about"] != self.deployment:
                    continue
                finished = steps.take(event)
                if finished is not None:
                    self.teller.finished(finished)
                self.teller.begun(steps.current)
                if event["type"] in ENDS:
                    return int(event["sequence"])
        raise AssertionError  # the follower ends by an error only

    async def _tell_place(self) -> None:
        """Tell where it stands in the queue, each time that changes, as long as it waits there."""
        told = None
        try:
            while True:
                await asyncio.sleep(_PLACE_EVERY_S)
                found = await self.api.get(f"{deployment_path(self.deployment)}/explain")
                if found["phase"] != "requested":
                    return
                if (queued := found.get("queued")) not in {None, told}:
                    told = queued
                    self.teller.say(plain(queued))
        except CommandError as error:
            self.teller.say(f"Its place in the queue cannot be shown: {error.what}")

    async def _tell_lines(self, lines: LineFollower) -> None:
        try:
            async with aclosing(lines.follow()) as stream:
                async for line in stream:
                    self.teller.line(line)
        except CommandError as error:
            self.teller.say(f"Its log cannot be shown: {error.what}")

    async def _tell_rest(self, lines: LineFollower) -> None:
        """Tell what was written before the end and had not arrived by then."""
        try:
            async with aclosing(lines.rest()) as stream:
                async for line in stream:
                    self.teller.line(line)
        except CommandError as error:
            self.teller.say(f"The rest of its log cannot be shown: {error.what}")
