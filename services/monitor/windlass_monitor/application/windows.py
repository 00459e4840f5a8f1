"""The watch over versions that got an environment lately: what fails is asked to give way to the one before.

Who is watched stands in the rows, also after a restart: it looks through all of them once, then at each project when
something about it was told, and every few seconds while somebody is watched. Counters give no sign when they grow, so
that they are asked for; while nobody is watched, nothing is.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import (
    AliasesChanged,
    ContainerLooping,
    ContainerStopped,
    DeploymentLive,
    RoutesApplied,
    Unhealthy,
    WeightChanged,
)
from windlass_contracts.ids import DeploymentId
from windlass_contracts.subjects import Aggregate, AggregateKey
from windlass_eventlog.appender import Appender
from windlass_eventlog.clock import Clock
from windlass_eventlog.errors import AWAY, ConflictError
from windlass_eventlog.projection import Rows, Versioned
from windlass_eventlog.reactor import Reactor, WakeUp
from windlass_monitor.application.engine import Engine
from windlass_monitor.application.projections import DEPLOYMENTS, PLACES, ROUTES
from windlass_monitor.application.traffic import Traffic, TrafficUnknownError
from windlass_monitor.domain.answers import Answers, Tally
from windlass_monitor.domain.deployment import Deployment
from windlass_monitor.domain.place import Place
from windlass_monitor.domain.routes import Routes
from windlass_monitor.domain.window import Window, answers_of, decide, open_windows

EVERY_S = 3.0
"""How often counters are read while somebody is watched."""

_TELLS_SOMETHING: frozenset[type[Event]] = frozenset(
    {
        AliasesChanged,
        WeightChanged,
        RoutesApplied,
        DeploymentLive,
        Unhealthy,
        ContainerStopped,
        ContainerLooping,
    }
)
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Windows:
    rows: Rows
    append: Appender
    traffic: Traffic
    engine: Engine
    clock: Clock
    _due: set[UUID] = field(default_factory=set)
    _open: dict[UUID, Sequence[Window]] = field(default_factory=dict)
    _tallies: dict[DeploymentId, Tally] = field(default_factory=dict)
    _read_at: float = -EVERY_S
    _told: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def reactor(self) -> Reactor:
        return Reactor("watch windows", _TELLS_SOMETHING, self.handle)

    async def handle(self, wake: WakeUp) -> None:
        """Have the project of the event looked at: who is forgotten in a crash is found in the rows again."""
        self._due.add(wake.recorded.project)
        self._told.set()

    async def run(self) -> None:
        """Look again and again, until canceled."""
        await self._begin()
        while True:
            await self._look_around()
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S if self._open or self._due else None):
                    await self._told.wait()  # not by wait_for, which may swallow a cancellation
            self._told.clear()

    async def _begin(self) -> None:
        while True:
            if await self._began():
                return
            await asyncio.sleep(EVERY_S)

    async def _began(self) -> bool:
        try:
            self._due |= {found.key for found in await self.rows.find(ROUTES, {})}
        except AWAY as error:
            _log.warning("windows-not-known", reason=str(error))
            return False
        return True

    async def _look_around(self) -> None:
        if self._open:
            await self._count()
        due, self._due = self._due | self._open.keys(), set()
        for project in sorted(due, key=lambda one: one.hex):
            try:
                await self._look(project)
            except ConflictError:
                self._due.add(project)  # somebody wrote meanwhile, of which it is told, too
            except AWAY as error:
                _log.warning("window-not-watched", project=str(project), reason=str(error))
                self._due.add(project)

    async def _count(self) -> None:
        """Read the counters, but for a moment ago; one reading that fails changes nothing."""
        now = asyncio.get_running_loop().time()
        if now - self._read_at < EVERY_S / 2:
            return
        self._read_at = now
        try:
            counted = await self.traffic.answers()
        except TrafficUnknownError as error:
            _log.warning("answers-not-counted", reason=str(error))
            return
        watched = {window.version for windows in self._open.values() for window in windows}
        at = self.clock()
        self._tallies = {one: self._tallies.get(one, Tally()).after(at, counted.get(one, Answers())) for one in watched}

    async def _look(self, project: UUID) -> None:
        """Ask for the way back of what fails, and remember who is watched."""
        routes = await self.rows.get(ROUTES, project)
        if routes is None:
            return
        place = await self.rows.get(PLACES, project)
        found = await self.rows.get_all(DEPLOYMENTS, routes.row.named)
        deployments = {DeploymentId(key): one.row for key, one in found.items()}
        windows = tuple(open_windows(routes.row, place.row if place else Place(), deployments, self.clock()))
        self._watch(project, windows)
        for window in windows:
            if await self._restored(routes, window, deployments):
                self._due.add(project)
                self._told.set()
                return

    def _watch(self, project: UUID, windows: Sequence[Window]) -> None:
        if windows and project not in self._open:
            self._told.set()  # so that counting begins at once
        if windows:
            self._open[project] = windows
        else:
            self._open.pop(project, None)

    async def _restored(
        self, routes: Versioned[Routes], window: Window, deployments: Mapping[DeploymentId, Deployment]
    ) -> bool:
        """Ask for the one before if the watched version fails; return whether it does.

        Raises:
            ConflictError: something about the routes is newer than the row.
        """
        now = self.clock()
        version = deployments[window.version]
        answers = answers_of(version, self._tallies.get(window.version, Tally()), now)
        wish = decide(window, version, answers, self.engine.presence, now)
        if wish is None:
            return False
        key = AggregateKey.of_project(routes.row.team, routes.row.project, Aggregate.ROUTES)
        cause = await self._recorded(window.sequence)
        sequence = await self.append.caused(cause, key, wish, routes.sequence, step=str(window.environment))
        await self.rows.reached(sequence)
        return True

    async def _recorded(self, sequence: int) -> Recorded[Event]:
        """Return the decision that the window is open by, from the log itself."""
        async with aclosing(self.append.log.read(sequence - 1)) as events:
            return await anext(events)
