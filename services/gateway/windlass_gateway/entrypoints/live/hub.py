"""The hub: reads the log once for all viewers of this process, and tells each of what touches its view.

An event is told only once the gateway's own rows show it, so that what is rendered then does. A viewer that was away
gets what it missed from the latest events kept here, or from the log, and then what comes: nothing twice, nothing left
out, or the plain word that it has to load its page anew.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import structlog

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.subjects import Aggregate
from windlass_eventlog.errors import AWAY, HaltedError
from windlass_eventlog.log import EventLog
from windlass_eventlog.projection import Rows
from windlass_eventlog.seeing import Seen, seen
from windlass_gateway.entrypoints.live.channel import Channel
from windlass_gateway.entrypoints.live.frames import Frame
from windlass_gateway.entrypoints.live.place import Place, epoch_of
from windlass_gateway.entrypoints.live.press import Press
from windlass_gateway.entrypoints.live.reset import Reset, ResetError
from windlass_gateway.entrypoints.live.ring import Ring
from windlass_gateway.entrypoints.live.view import NODES, UPTIMES, EventsView, StateView, Topic, View, topics
from windlass_gateway.entrypoints.live.viewer import WAITING, Viewer

_TRY_AGAIN_AFTER_S = 0.2
_RENEWED_LATELY_S = 30.0
_STOPPING = "the gateway stops: come back"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often, in seconds, and how much.

    `kept` and `replayed` count events of the log; `waiting` and `told` frames for one viewer: those that wait for it,
    and those that tell it of what it missed.
    """

    pause_s: float = 0.075
    ping_s: float = 15.0
    lifetime_s: float = 3_600.0
    kept: int = 1_000
    replayed: int = 5_000
    told: int = 200
    waiting: int = WAITING


class Hub:
    """One for each process."""

    def __init__(self, log: EventLog, rows: Rows, pace: Pace = Pace()) -> None:
        self._log = log
        self._rows = rows
        self._pace = pace
        self._press = Press()
        self._ring = Ring.of(pace.kept)
        self._position = 0
        self._channels: dict[str, Channel] = {}
        self._by_topic: dict[Topic, set[Channel]] = {}
        self._renewed: dict[Topic, float] = {}
        self._ready = asyncio.Event()
        self._closed = False

    @property
    def viewers(self) -> int:
        """How many streams are open."""
        return sum(len(channel.viewers) for channel in self._channels.values())

    async def epoch(self) -> str:
        """Return which log this is, once that is known."""
        await self._ready.wait()
        return self._press.epoch

    async def run(self) -> None:
        """Read and tell until cancelled; then all streams are ended in order.

        Raises:
            GapError: the log is not what it was.
        """
        try:
            self._press.epoch = epoch_of(await self._log.created())
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pinging())
                tasks.create_task(self._reading(await self._log.head()))
        finally:
            self._closed = True
            for channel in self._channels.values():
                channel.end(_STOPPING)

    def renew(self, deployments: Iterable[UUID]) -> None:
        """Show anew what nodes say, and deployments of which they say something else, though no event does."""
        touched: list[Topic] = [NODES, *((Aggregate.DEPLOYMENT, deployment) for deployment in deployments)]
        now = asyncio.get_running_loop().time()
        self._renewed = {topic: at for topic, at in self._renewed.items() if now - at < _RENEWED_LATELY_S}
        self._renewed.update(dict.fromkeys(touched, now))
        self._renew(touched)

    def renew_uptimes(self, projects: Iterable[UUID]) -> None:
        """Show anew how environments of some projects answer. Who joins right now gets it the next time."""
        self._renew([UPTIMES, *projects])

    def _renew(self, touched: Iterable[Topic]) -> None:
        for channel in {channel for topic in touched for channel in self._by_topic.get(topic, ())}:
            channel.renew(self._position)

    @asynccontextmanager
    async def watching(self, view: View, last: Place | None) -> AsyncIterator[Viewer]:
        """Yield a viewer that gets everything behind `last`, or from now on, for as long as the block lasts.

        Raises:
            ResetError: what it missed cannot be told.
        """
        await self._ready.wait()
        floor = self._position if last is None else await self._checked(last)
        joined = self._position
        loop = asyncio.get_running_loop()
        viewer = Viewer(max(floor, joined), loop.time() + self._pace.lifetime_s, self._pace.waiting)
        channel = self._join(view, viewer)
        try:
            viewer.begin(await self._missed(view, floor, joined))
            if not self._renewed.keys().isdisjoint(view.topics):  # perhaps since the page was rendered: no place tells
                channel.renew(joined)
            viewer.ping()
            yield viewer
        finally:
            self._leave(channel, viewer)

    async def _checked(self, last: Place) -> int:
        if last.epoch != self._press.epoch:
            raise ResetError(Reset.OTHER_LOG)
        # A page may have been rendered from rows that are ahead of what was told so far.
        if last.sequence > max(self._position, self._rows.position) and last.sequence > await self._log.head():
            raise ResetError(Reset.FUTURE)
        if self._position - last.sequence > self._pace.replayed:
            raise ResetError(Reset.TOO_FAR_BACK)
        return last.sequence

    async def _missed(self, view: View, floor: int, joined: int) -> list[Frame]:
        """Return what tells of everything behind `floor` up to the moment at which the viewer joined."""
        if floor >= joined:
            return []
        events = self._ring.behind(floor)
        if events is None and isinstance(view, StateView):
            return await self._press.frames(view, [], joined)
        if events is None:
            events = await self._read_again(floor, joined)
        touching = [one for one in events if one.sequence <= joined and view.touched_by(one)]
        if isinstance(view, EventsView) and len(touching) > self._pace.told:
            raise ResetError(Reset.TOO_FAR_BACK)
        return await self._press.frames(view, touching, joined) if touching else []

    async def _read_again(self, after: int, last: int) -> list[Recorded[Event]]:
        events: list[Recorded[Event]] = []
        async with aclosing(seen(self._log, after)) as reading:
            async for one in reading:
                if one.recorded is not None:
                    events.append(one.recorded)
                if one.sequence >= last:
                    break
        return events

    def _join(self, view: View, viewer: Viewer) -> Channel:
        channel = self._channels.get(view.name)
        if channel is None:
            channel = self._channels[view.name] = Channel(view, self._press, self._pace.pause_s)
            for topic in view.topics:
                self._by_topic.setdefault(topic, set()).add(channel)
        channel.viewers.add(viewer)
        if self._closed:
            viewer.end(_STOPPING)
        return channel

    def _leave(self, channel: Channel, viewer: Viewer) -> None:
        channel.viewers.discard(viewer)
        if channel.viewers or self._channels.get(channel.view.name) is not channel:
            return
        del self._channels[channel.view.name]
        for topic in channel.view.topics:
            self._by_topic[topic].discard(channel)
            if not self._by_topic[topic]:
                del self._by_topic[topic]

    async def _reading(self, head: int) -> None:
        start = max(0, head - self._pace.kept)
        self._position = start
        if start == head:
            self._ready.set()
        async with aclosing(seen(self._log, start)) as reading:
            async for one in reading:
                await self._shown(one.sequence)
                self._take(one)
                if one.sequence >= head:
                    self._ready.set()

    async def _shown(self, sequence: int) -> None:
        while True:
            try:
                return await self._rows.reached(sequence)
            except AWAY as away:
                if isinstance(away, HaltedError):
                    self._ready.set()  # this may take days: who watches is told what there is
                await asyncio.sleep(_TRY_AGAIN_AFTER_S)

    def _take(self, one: Seen) -> None:
        self._position = one.sequence
        if (recorded := one.recorded) is None:
            return
        self._ring.add(recorded)
        touched = {channel for topic in topics(recorded) for channel in self._by_topic.get(topic, ())}
        for channel in touched:
            if channel.view.wants(recorded):
                channel.take(recorded)

    async def _pinging(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._pace.ping_s)
            now = loop.time()
            for channel in self._channels.values():
                for viewer in channel.viewers:
                    if now > viewer.expires:
                        viewer.end("that was long: come back")
                    else:
                        viewer.ping()
