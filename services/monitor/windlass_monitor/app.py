"""The monitor: probes containers, before and after they are live, and reports; it never restarts anything."""

import asyncio
from collections.abc import Callable

from windlass_contracts.subjects import Service
from windlass_eventlog.clock import utc_now
from windlass_eventlog.service import connected
from windlass_eventlog.settings import CommonSettings
from windlass_monitor.adapters.prober import StreamProber
from windlass_monitor.application.projections import DEPLOYMENTS
from windlass_monitor.application.voice import Voice
from windlass_monitor.application.watches import Watches


async def serve(started: Callable[[], None]) -> None:
    """Run until cancelled."""
    settings = CommonSettings()
    async with (
        connected(Service.MONITOR, settings, projections=[DEPLOYMENTS]) as link,
        asyncio.TaskGroup() as tasks,
    ):
        voice = Voice(link.rows, link.append)
        watches = Watches(link.log, link.rows, voice, StreamProber(), utc_now, tasks)
        await watches.restore()
        async with link.reacting([watches.reactor]):
            started()
            await asyncio.Event().wait()
