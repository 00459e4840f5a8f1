"""The router, wired."""

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

import structlog

from windlass_contracts.subjects import Service
from windlass_eventlog.link import Link
from windlass_eventlog.service import connected
from windlass_router.adapters.file_guard import FileGuard
from windlass_router.adapters.proxies import Proxies
from windlass_router.adapters.routes_file import RoutesFile
from windlass_router.adapters.traefik import Traefik
from windlass_router.application.giving_up import GivingUp
from windlass_router.application.projections import ALL
from windlass_router.application.proxy import Proxy, ProxyError
from windlass_router.application.publisher import Publisher
from windlass_router.application.reactors import reactors_of
from windlass_router.application.rolling_out import RollingOut
from windlass_router.application.serving import Serving
from windlass_router.application.switching import Switching
from windlass_router.application.verifying import VerifyingRoutes
from windlass_router.domain.configuration import Site
from windlass_router.settings import RouterSettings

_FIRST_WITHIN = timedelta(seconds=10)
_log = structlog.get_logger(__name__)


async def serve(started: Callable[[], None]) -> None:
    """Run the router until canceled."""
    settings = RouterSettings()
    async with connected(Service.ROUTER, settings, projections=ALL) as link:
        with closing(_proxies(settings)) as proxies:
            await _serve(link, proxies, _site(settings), started)


async def _serve(link: Link, proxies: Proxies, site: Site, started: Callable[[], None]) -> None:
    verifying = VerifyingRoutes(Publisher(link.rows, proxies, site, link.append.clock))
    async with link.operating(verifying.checks()):
        await link.caught_up(started)
        async with asyncio.TaskGroup() as tasks:
            if sys.platform == "linux":
                tasks.create_task(FileGuard(proxies.file).keep())
            await work(link, proxies, site, started)


async def work(link: Link, proxies: Proxy, site: Site, started: Callable[[], None]) -> None:
    """Do all that the router does, over whatever log and proxies, until canceled."""
    clock = link.append.clock
    async with asyncio.TaskGroup() as tasks:
        publisher = Publisher(link.rows, proxies, site, clock)
        publishing = tasks.create_task(publisher.run())
        await _restore(publisher, link)
        switching = Switching(link.append, link.rows, publisher, clock)
        serving, giving_up = Serving(link.rows, publisher, clock, switching), GivingUp(switching, clock)
        async with link.reacting(reactors_of(switching, serving, giving_up, RollingOut(switching, clock))):
            started()
            await publishing


async def _restore(publisher: Publisher, link: Link) -> None:
    """Let the proxies serve what the log says before anything new is decided."""
    try:
        await publisher.publish(link.rows.position, link.append.clock() + _FIRST_WITHIN)
    except ProxyError as error:
        # Their routes of before go on; every later decision waits for its own confirmation.
        _log.warning("routes-not-confirmed-at-start", reason=str(error))


def _proxies(settings: RouterSettings) -> Proxies:
    traefik = Traefik.at(settings.node, settings.traefik_url, settings.traefik_api_url, settings.marker_path)
    return Proxies(RoutesFile(settings.traefik_dir), [traefik])


def _site(settings: RouterSettings) -> Site:
    base = {} if settings.traefik_base is None else json.loads(settings.traefik_base.read_bytes())
    return Site(settings.domain, settings.gateway_port, settings.marker_path, base)
