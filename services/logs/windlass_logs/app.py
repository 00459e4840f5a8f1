"""The logs service: collects what containers write, without the secrets that they were given."""

import asyncio
from collections.abc import Callable
from typing import assert_never

from windlass_contracts.subjects import Service
from windlass_eventlog.link import Link
from windlass_eventlog.service import connected
from windlass_eventlog.settings import CommonSettings
from windlass_logs.adapters.docker import DockerLogSource
from windlass_logs.adapters.processes import ProcessLogSource
from windlass_logs.application.collector import Collector
from windlass_logs.application.following import Following
from windlass_logs.application.log_source import LogSource
from windlass_logs.application.projections import DEPLOYMENTS


async def serve(started: Callable[[], None]) -> None:
    """Run until cancelled."""
    settings = CommonSettings()
    async with connected(Service.LOGS, settings, projections=[DEPLOYMENTS]) as link, link.operating():
        await link.caught_up(started)
        await work(link, _source(settings), settings.node, started)


async def work(link: Link, source: LogSource, node: str, started: Callable[[], None]) -> None:
    """Do all that the logs service does, over whatever log and source of lines, until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        following = Following(source, link.logs, link.vault)
        collector = Collector(link.rows, following, node, link.append.clock, tasks)
        await collector.restore()
        async with link.reacting([collector.reactor]):
            started()
            await asyncio.Event().wait()


def _source(settings: CommonSettings) -> LogSource:
    match settings.runtime:
        case "docker":
            return DockerLogSource()
        case "process":
            return ProcessLogSource(settings.home)
        case _:
            assert_never(settings.runtime)
