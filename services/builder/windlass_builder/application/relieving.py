"""What a node does when its disk runs full: it gives up what is least missed, until enough is left.

Never what an address points at or did before, what runs or is under way, the last release of a project, or a volume.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from windlass_builder.application.collecting import Collecting, attempted
from windlass_builder.application.collecting_sources import CollectingSources
from windlass_builder.domain.belongings import Thrift
from windlass_builder.domain.room import DiskLevel
from windlass_eventlog.reactor import WakeUp

_log = structlog.get_logger(__name__)

BETWEEN_LOOKS = timedelta(minutes=5)
"""How often the disk is measured where no build ends: apps fill it as well, and no system tells when."""


BREATH = timedelta(minutes=1)
"""How long it rests where nothing more may go: not every build that ends makes something needless."""


@dataclass(slots=True)
class Relieving:
    """Keeps the disk of a node from running full."""

    collecting: Collecting
    sources: CollectingSources
    between_looks: timedelta = BETWEEN_LOOKS
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, wake: WakeUp) -> None:
        """Remember that a build ended."""
        del wake
        self._news.set()

    async def run(self) -> None:
        """Look whenever a build ended, and from time to time, until canceled."""
        while True:
            self._news.clear()
            await attempted(self.relieve())
            if self._level() is DiskLevel.SCARCE:
                await asyncio.sleep(BREATH.total_seconds())
            with suppress(TimeoutError):
                async with asyncio.timeout(self.between_looks.total_seconds()):
                    await self._news.wait()

    async def relieve(self) -> None:
        """Where the disk is scarce, delete in order of least loss until it is ample, or nothing more may go."""
        node = self.collecting.looking.containers.node
        if self._level() is not DiskLevel.SCARCE:
            return
        async with node.locks.alone("relieving"):
            if self._level() is not DiskLevel.SCARCE:
                return  # another builder did it
            _log.warning("disk.scarce", node=node.name)
            async with aclosing(self._steps()) as steps:
                async for step in steps:
                    await attempted(step)
                    if self._level() is DiskLevel.AMPLE:
                        _log.info("disk.relieved", node=node.name)
                        return
            _log.warning("disk.still_short", node=node.name, why="nothing more may go")

    def _level(self) -> DiskLevel:
        return self.collecting.looking.containers.node.disk_level()

    async def _steps(self) -> AsyncGenerator[Awaitable[object], None]:
        """Yield what to do, one thing after the other, of all projects before the next that is missed more."""
        for thrift in Thrift:
            for project in await self.collecting.looking.projects():
                yield self.collecting.collect(project, thrift)
            yield self.sources.collect(thrift)
