"""The monitor: probes containers, before and after they are live, and reports; it never restarts anything."""

import asyncio
from collections.abc import Callable

from windlass_contracts.subjects import Service
from windlass_eventlog.link import Link
from windlass_eventlog.service import connected
from windlass_eventlog.settings import CommonSettings
from windlass_monitor.adapters.prober import StreamProber
from windlass_monitor.application.prober import Prober
from windlass_monitor.application.projections import DEPLOYMENTS
from windlass_monitor.application.voice import Voice
from windlass_monitor.application.watches import Watches


async def serve(started: Callable[[], None]) -> None:
    """Run until cancelled."""
    settings = CommonSettings()
    async with connected(Service.MONITOR, settings, projections=[DEPLOYMENTS]) as link, link.operating():
        await link.caught_up(started)
        await work(link, StreamProber(), started)


async def work(link: Link, prober: Prober, started: Callable[[], None]) -> None:
    """Do all that the monitor does, over whatever log and prober, until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        voice = Voice(link.rows, link.append)
        watches = Watches(link.log, link.rows, voice, prober, link.append.clock, tasks)
        await watches.restore()
        async with link.reacting([watches.reactor]):
            started()
            await asyncio.Event().wait()
