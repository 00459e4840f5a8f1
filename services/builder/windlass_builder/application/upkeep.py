"""When a node is cleaned up: once a day, and a while after something changed for a project."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from windlass_builder.application.collecting import Collecting, attempted
from windlass_builder.application.collecting_sources import CollectingSources
from windlass_contracts.ids import ProjectId
from windlass_eventlog.reactor import WakeUp

QUIET = timedelta(minutes=2)
"""How long after a change the project is looked at: one push brings several, and none is in a hurry. A container that
ended, and so has the engine keep its release, is swept away by then."""

_DAY = timedelta(days=1)


@dataclass(slots=True)
class Upkeep:
    """Has the collectors look where something may be spared."""

    collecting: Collecting
    sources: CollectingSources
    _wanted: set[ProjectId] = field(default_factory=set)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, wake: WakeUp) -> None:
        """Remember that something changed for the project."""
        self._wanted.add(wake.recorded.project)
        self._woken.set()

    async def finish(self) -> None:
        """Say what earlier lives deleted and could not say: before anything is made that has the same name."""
        await attempted(self.collecting.finish())
        await attempted(self.sources.finish())

    async def run(self) -> None:
        """Look at everything now and every day, and at each project a while after it changed."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            everything = loop.time() >= due
            if everything:
                due = loop.time() + _DAY.total_seconds()
                await attempted(self._remember_all())
            elif not await self._woken_until(due):
                continue
            await asyncio.sleep(QUIET.total_seconds())
            wanted, self._wanted = self._wanted, set()
            for project in wanted:
                await attempted(self.collecting.collect(project))
            if everything:
                await attempted(self.sources.collect())

    async def _remember_all(self) -> None:
        self._wanted |= set(await self.collecting.looking.projects())

    async def _woken_until(self, due: float) -> bool:
        """Wait until a project is to be looked at; return False where none is by then."""
        if not self._wanted:
            self._woken.clear()
            try:
                async with asyncio.timeout_at(due):
                    await self._woken.wait()
            except TimeoutError:
                return False
        return True
