"""The router, wired."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import httpx

from windlass_contracts.subjects import Service
from windlass_eventlog.clock import utc_now
from windlass_eventlog.link import Link
from windlass_eventlog.reactor import Reactor
from windlass_eventlog.service import connected
from windlass_router.adapters.traefik import Traefik
from windlass_router.application.cutovers import Cutovers
from windlass_router.application.projections import DEPLOYMENTS, PLACES, ROUTES
from windlass_router.application.publisher import Publisher
from windlass_router.application.reactions import reactors_of
from windlass_router.application.returns import Returns
from windlass_router.application.serving import Serving
from windlass_router.application.switching import Switching
from windlass_router.domain.configuration import OwnHost
from windlass_router.settings import RouterSettings

_FIRST_WITHIN = timedelta(seconds=60)


async def serve(started: Callable[[], None]) -> None:
    """Run the router until canceled."""
    settings = RouterSettings()
    async with (
        httpx.AsyncClient(trust_env=False) as client,
        connected(Service.ROUTER, settings, projections=[PLACES, DEPLOYMENTS, ROUTES]) as link,
    ):
        publisher = _publisher(settings, link, client)
        await publisher.publish(link.rows.position, _FIRST_WITHIN)
        async with link.reacting(_reactors(link, publisher)):
            started()
            await asyncio.Event().wait()


def _publisher(settings: RouterSettings, link: Link, client: httpx.AsyncClient) -> Publisher:
    proxy = Traefik(
        node=settings.node,
        folder=settings.traefik_dir,
        traffic=settings.traefik_url,
        api=settings.traefik_api_url,
        marker_path=settings.marker_path,
        client=client,
    )
    own = OwnHost(f"windlass.{settings.domain}", settings.gateway_port)
    return Publisher(link.rows, proxy, own, settings.domain, settings.marker_path)


def _reactors(link: Link, publisher: Publisher) -> Sequence[Reactor]:
    switching = Switching(link.append, link.rows, publisher, utc_now)
    return reactors_of(Cutovers(switching), Returns(switching), Serving(link.rows, publisher))
