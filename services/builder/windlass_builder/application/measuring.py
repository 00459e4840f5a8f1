"""How much is in the volumes of this node, measured beside everything else: that may take long, and nobody waits."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import NoReturn
from uuid import UUID

import structlog

from windlass_builder.application.containers import Containers
from windlass_builder.application.runtime_errors import EngineError
from windlass_eventlog.errors import AWAY, NotReachedError
from windlass_eventlog.nodes import volume_key

_AT_LEAST_EVERY = timedelta(minutes=10)
_AT_MOST_EVERY_S = 60.0
_REST = 20
"""So many times as long as measuring took, nothing is measured: it costs a twentieth of one CPU at most."""
_MOST_TOLD = 2_000

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Measuring:
    """The latest sizes in bytes, and which deployments have a volume mounted; `news` is set when they changed."""

    containers: Containers
    sizes: Mapping[str, int] = field(default_factory=dict)
    mounted: Mapping[str, tuple[UUID, ...]] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> NoReturn:
        """Measure at the start, each time something happened, and now and then, until canceled."""
        while True:
            position, began = self.containers.rows.position, monotonic()
            try:
                await self.measure()
            except (EngineError, *AWAY) as error:
                _log.warning("volumes.not_measured", why=str(error))
            await asyncio.sleep(max(_AT_MOST_EVERY_S, (monotonic() - began) * _REST))
            await self._something(position)

    async def measure(self) -> None:
        """Measure now.

        Raises: EngineError.
        """
        runtime = self.containers.runtime
        found = (await runtime.volumes())[:_MOST_TOLD]
        deployments = {runner.name: runner.deployment for runner in await runtime.runners()} if found else {}
        keys = {one.volume: volume_key(one.volume.project, one.volume.environment, one.volume.name) for one in found}
        sizes = {keys[one.volume]: one.size for one in found}
        mounted = {
            keys[one.volume]: tuple(sorted({deployments[name] for name in one.users if name in deployments}))
            for one in found
            if one.users
        }
        if (sizes, mounted) != (self.sizes, self.mounted):
            self.sizes, self.mounted = sizes, mounted
            self.news.set()

    async def _something(self, position: int) -> None:
        try:
            await self.containers.rows.reached(position + 1, _AT_LEAST_EVERY)
        except NotReachedError:
            return
        except AWAY as error:
            _log.warning("volumes.not_measured", why=str(error))
