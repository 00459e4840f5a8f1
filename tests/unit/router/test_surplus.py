"""Surplus containers get no requests, and it is said once the proxies confirmed that."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from support import router_events as say
from support.memory_router import MemoryRouter
from support.router_events import PROJECT, url_of
from windlass_contracts.config import DeploymentConfig
from windlass_contracts.events import DeploymentScaled, RoutesApplied
from windlass_contracts.ids import DeploymentId


@pytest.fixture
async def router() -> AsyncIterator[MemoryRouter]:
    async with MemoryRouter().running() as running:
        await running.founded()
        yield running


async def live(router: MemoryRouter, replicas: int) -> DeploymentId:
    deployment = await router.requested(config=DeploymentConfig(replicas=replicas))
    await router.healthy(deployment, replicas)
    return deployment


async def scaled(router: MemoryRouter, deployment: DeploymentId, replicas: int) -> int:
    """Scale it, and return the sequence at which that was said."""
    await router.tell(deployment, DeploymentScaled(replicas=replicas))
    at = router.log.length
    await router.reactors.settle()
    return at


async def test_what_is_beyond_the_number_is_left_out_and_that_is_confirmed(router: MemoryRouter) -> None:
    deployment = await live(router, 3)
    at = await scaled(router, deployment, 1)
    applied = router.last(PROJECT)
    assert isinstance(applied, RoutesApplied)
    assert applied.generation >= at
    assert router.proxy.servers("shop.localhost") == [url_of(deployment)]


async def test_scaling_up_confirms_nothing(router: MemoryRouter) -> None:
    deployment = await live(router, 1)
    before = router.types(PROJECT)
    await scaled(router, deployment, 2)
    assert router.types(PROJECT) == before


async def test_healthy_surplus_serves_until_as_many_others_are_healthy(router: MemoryRouter) -> None:
    deployment = await live(router, 2)
    await router.tell(deployment, say.unhealthy(deployment))
    before = router.types(PROJECT)
    await scaled(router, deployment, 1)
    assert router.proxy.servers("shop.localhost") == [url_of(deployment, 1)]
    assert router.types(PROJECT) == before
    await router.tell(deployment, say.healthy(deployment))
    await router.reactors.settle()
    assert router.proxy.servers("shop.localhost") == [url_of(deployment)]
    assert router.types(PROJECT)[-1] == "routes.applied.v1"


async def test_proxies_that_are_away_are_asked_until_they_confirm(router: MemoryRouter) -> None:
    deployment = await live(router, 2)
    before = len(router.types(PROJECT))
    router.proxy.outage = timedelta(seconds=45)
    await scaled(router, deployment, 1)
    assert len(router.types(PROJECT)) == before
    await router.reactors.advance(timedelta(minutes=2))
    assert router.types(PROJECT)[before:] == ["routes.applied.v1"]


async def test_what_is_left_out_of_a_version_that_answers_nowhere_is_nobodys_concern(router: MemoryRouter) -> None:
    replaced = await live(router, 2)
    await live(router, 1)
    before = len(router.types(PROJECT))
    await scaled(router, replaced, 1)
    assert len(router.types(PROJECT)) == before
