"""Frames, each made once: whoever asks for the same one while it is made, or soon after, gets the same bytes."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_gateway.entrypoints.live.frames import Frame, message
from windlass_gateway.entrypoints.live.place import Place
from windlass_gateway.entrypoints.live.view import EventsView, StateView, View

_KEPT = 512

Key = tuple[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    sequence: int
    frame: asyncio.Task[Frame]


@dataclass(slots=True)
class Press:
    """Renders and encodes."""

    epoch: str = ""
    _made: OrderedDict[Key, _Made] = field(default_factory=OrderedDict)

    async def frames(
        self, view: View, events: Sequence[Recorded[Event]], sequence: int, *, anew: bool = False
    ) -> list[Frame]:
        """Return what tells the viewers of a view of events, the last of which stands at `sequence` or before.

        What was made before is no good where things changed beside the log: then it is made `anew`.
        """
        match view:
            case EventsView():
                return [await self._event(view, recorded) for recorded in events]
            case StateView():
                if anew:
                    self._made.pop((view.name, 0), None)
                frame = await self._once(view, sequence, view.render)
                return [replace(frame, anew=anew)]
            case _:
                raise TypeError(view)

    async def _event(self, view: EventsView, recorded: Recorded[Event]) -> Frame:
        return await self._once(view, recorded.sequence, lambda: view.render(recorded))

    async def _once(self, view: View, sequence: int, render: Callable[[], Awaitable[str]]) -> Frame:
        # A frame may be a whole list of projects: how things were before is asked for by nobody, and not kept.
        key = (view.name, 0 if isinstance(view, StateView) else sequence)
        made = self._made.get(key)
        if made is None or made.sequence != sequence:
            made = self._made[key] = _Made(sequence, asyncio.create_task(self._make(sequence, render)))
            self._made.move_to_end(key)
            if len(self._made) > _KEPT:
                self._made.popitem(last=False)
        try:
            return await asyncio.shield(made.frame)
        except Exception:
            if self._made.get(key) is made:
                del self._made[key]
            raise

    async def _make(self, sequence: int, render: Callable[[], Awaitable[str]]) -> Frame:
        return Frame(sequence, message(Place(self.epoch, sequence), await render()))
