"""Watching one deployment until it ends."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

from windlass.api import Api, Json
from windlass.commands.following import EventFollower, LineFollower, persistently
from windlass.commands.paths import deployment_path
from windlass.commands.steps import ENDS, QUEUE, Steps
from windlass.commands.tellers import Teller
from windlass.errors import CommandError
from windlass.terminal import plain


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
        place = asyncio.ensure_future(self._tell_place())
        telling = {place, asyncio.ensure_future(self._tell_lines(lines))}
        try:
            end = await self._tell_events(place)
        finally:
            for one in telling:
                one.cancel()
            await asyncio.wait(telling)
        await self._tell_rest(lines)
        return await self.api.get(deployment_path(self.deployment), {"at_least": end})

    async def _tell_events(self, place: "asyncio.Future[None]") -> int:
        """Tell the events, and nothing more of the place in the queue once that is left; return the end's sequence."""
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
                if steps.current != QUEUE:
                    place.cancel()
                if event["type"] in ENDS:
                    return int(event["sequence"])
        raise AssertionError  # the follower ends by an error only

    async def _tell_place(self) -> None:
        """Tell where it stands in the queue, each time that changes: with what other projects do, too."""
        path, query = f"{deployment_path(self.deployment)}/places", {"at_least": self.sequence}
        told = None
        try:
            async with aclosing(persistently(lambda: self.api.lines(path, query))) as places:
                async for place in places:
                    if place["sentence"] != told:  # a stream that broke off begins anew
                        told = place["sentence"]
                        self.teller.say(plain(told))
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
