"""One view that somebody watches."""

import asyncio
from dataclasses import dataclass, field

import structlog

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_gateway.entrypoints.live.press import Press
from windlass_gateway.entrypoints.live.view import StateView, View
from windlass_gateway.entrypoints.live.viewer import Viewer

_log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class Channel:
    """Hands each frame to all viewers; a state view's at most every `pause_s` seconds, the first one at once."""

    view: View
    press: Press
    pause_s: float
    viewers: set[Viewer] = field(default_factory=set)
    _untold: list[Recorded[Event]] = field(default_factory=list)
    _renewed: int | None = None
    _telling: "asyncio.Task[None] | None" = None
    _told_at: float = 0.0

    def take(self, recorded: Recorded[Event]) -> None:
        """Tell the viewers of an event, now or with those that follow within the pause."""
        self._untold.append(recorded)
        self._begin()

    def renew(self, sequence: int) -> None:
        """Show anew what is shown as it is now: something changed beside the log, which is told up to the sequence."""
        if isinstance(self.view, StateView):
            self._renewed = sequence
            self._begin()

    def _begin(self) -> None:
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell())

    def end(self, why: str) -> None:
        """End all streams."""
        if self._telling is not None:
            self._telling.cancel()
        for viewer in tuple(self.viewers):
            viewer.end(why)

    async def _tell(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while (self._untold or self._renewed is not None) and self.viewers:
                if isinstance(self.view, StateView):
                    await asyncio.sleep(max(0.0, self._told_at + self.pause_s - loop.time()))
                events, self._untold = self._untold, []
                renewed, self._renewed = self._renewed, None
                last = max(renewed or 0, events[-1].sequence if events else 0)
                for frame in await self.press.frames(self.view, events, last, anew=renewed is not None):
                    for viewer in self.viewers:
                        viewer.offer(frame)
                self._told_at = loop.time()
        except Exception:  # noqa: BLE001 - whatever it is, it must not end the streams of other views
            # They come back, and get what they missed, or the error page that says what is wrong.
            _log.exception("live.view_not_rendered", view=self.view.name)
            for viewer in tuple(self.viewers):
                viewer.end("could not be rendered")
        finally:
            self._untold.clear()
            self._renewed = None
            self._telling = None
