"""When a node is cleaned up: once a day, and a while after something changed for a project."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from windlass_builder.application.collecting import Collecting
from windlass_builder.application.runtime_errors import EngineError
from windlass_contracts.ids import ProjectId
from windlass_eventlog.errors import AWAY, ConflictError
from windlass_eventlog.reactor import WakeUp

_log = structlog.get_logger(__name__)

QUIET = timedelta(minutes=1)
"""How long after a change the project is looked at: one push brings several, and none is in a hurry."""

_DAY = timedelta(days=1)


@dataclass(slots=True)
class Upkeep:
    """Has the collector look at the projects that may have something to spare."""

    collecting: Collecting
    _wanted: set[ProjectId] = field(default_factory=set)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, wake: WakeUp) -> None:
        """Remember that something changed for the project."""
        self._wanted.add(wake.recorded.project)
        self._woken.set()

    async def run(self) -> None:
        """Look at all projects now and every day, and at each a while after it changed."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if loop.time() >= due:
                due = loop.time() + _DAY.total_seconds()
                self._wanted |= set(await self.collecting.looking.projects())
            if not self._wanted:
                self._woken.clear()
                try:
                    async with asyncio.timeout_at(due):
                        await self._woken.wait()
                except TimeoutError:
                    continue
            await asyncio.sleep(QUIET.total_seconds())
            wanted, self._wanted = self._wanted, set()
            for project in wanted:
                await self._attempt(project)

    async def _attempt(self, project: ProjectId) -> None:
        try:
            await self.collecting.collect(project)
        except (ConflictError, EngineError, *AWAY) as error:
            # Others write about the project, or the engine is away: what is left is found the next time.
            _log.warning("collecting.put_off", project=str(project), reason=str(error))
