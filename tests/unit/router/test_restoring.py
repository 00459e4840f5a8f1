"""What the monitor saw failing gives its environment back, and nobody who was asked for is kept from it by that."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from support import router_events as say
from support.memory_router import MemoryRouter
from support.router_events import PREVIEW, PROJECT, url_of
from windlass_contracts.events import AliasesChanged, DeploymentLive, DeploymentSuperseded, RoutesFailed
from windlass_contracts.ids import DeploymentId


@pytest.fixture
async def router() -> AsyncIterator[MemoryRouter]:
    async with MemoryRouter().running() as running:
        await running.founded()
        yield running


async def restored(router: MemoryRouter, failed: DeploymentId, to: DeploymentId) -> None:
    await router.tell(PROJECT, say.restoring(failed, to))
    await router.reactors.settle()


def codes(router: MemoryRouter) -> list[str]:
    return [event.code for event in router.events(PROJECT) if isinstance(event, RoutesFailed)]


async def test_the_version_before_takes_the_environment_again_and_the_branch_stays(router: MemoryRouter) -> None:
    good, failing = await router.live(), await router.live()
    await restored(router, failing, good)
    moved = [event for event in router.events(PROJECT) if isinstance(event, AliasesChanged)][-1]
    assert (moved.why, moved.deployment, codes(router)) == ("restore", good, [])
    assert {move.alias.kind for move in moved.moves} >= {"environment", "environment-id"}
    assert router.proxy.servers("shop.localhost") == [url_of(good)]
    assert router.proxy.servers("shop--git--main.localhost") == [url_of(failing)]
    assert isinstance(router.last(failing), DeploymentLive)


async def test_a_version_that_is_asleep_is_waited_for(router: MemoryRouter) -> None:
    good, failing = await router.live(), await router.live()
    await router.tell(good, say.paused(good))
    await restored(router, failing, good)
    assert router.proxy.servers("shop.localhost") == [url_of(failing)]
    await router.tell(good, say.resumed(good), say.healthy(good))
    await router.reactors.settle()
    assert router.proxy.servers("shop.localhost") == [url_of(good)]


async def test_what_was_asked_for_after_the_failing_version_still_takes_the_environment(router: MemoryRouter) -> None:
    good, failing = await router.live(), await router.live()
    underway = await router.requested(trigger="webhook")
    await restored(router, failing, good)
    await router.healthy(underway)
    assert router.proxy.servers("shop.localhost") == [url_of(underway)]


async def test_what_was_asked_for_before_the_failing_version_does_not(router: MemoryRouter) -> None:
    good = await router.live()
    slow = await router.requested()
    failing = await router.live()
    await restored(router, failing, good)
    await router.healthy(slow)
    assert isinstance(router.last(slow), DeploymentSuperseded)
    assert router.proxy.servers("shop.localhost") == [url_of(good)]


async def test_what_was_promoted_is_asked_for_as_late_as_the_promotion(router: MemoryRouter) -> None:
    good, other = await router.live(), await router.live(PREVIEW, "topic")
    slow = await router.requested()
    await router.tell(PROJECT, say.promotion(other))
    await router.reactors.settle()
    await restored(router, other, good)
    await router.healthy(slow)
    assert isinstance(router.last(slow), DeploymentSuperseded)
    assert router.proxy.servers("shop.localhost") == [url_of(good)]


async def test_a_failing_version_that_left_the_environment_is_not_restored_from(router: MemoryRouter) -> None:
    good, failing, newer = [await router.live() for _ in range(3)]
    await restored(router, failing, good)
    assert codes(router) == ["outrun"]
    assert router.proxy.servers("shop.localhost") == [url_of(newer)]


async def test_a_rollback_that_waits_is_not_outrun_by_a_restoring(router: MemoryRouter) -> None:
    oldest, good, failing = [await router.live() for _ in range(3)]
    await router.tell(oldest, say.paused(oldest))
    await router.tell(PROJECT, say.rollback(oldest))
    await restored(router, failing, good)
    await router.tell(oldest, say.resumed(oldest), say.healthy(oldest))
    await router.reactors.settle()
    assert codes(router) == []
    assert router.proxy.servers("shop.localhost") == [url_of(oldest)]


async def test_a_restoring_holds_nothing_back(router: MemoryRouter) -> None:
    good, failing = await router.live(), await router.live()
    await restored(router, failing, good)
    pushed = await router.pushed()
    assert router.proxy.servers("shop.localhost") == [url_of(pushed)]


async def test_a_hold_that_ended_before_does_not_come_back_by_a_restoring_that_is_not_confirmed(
    router: MemoryRouter,
) -> None:
    good, failing = await router.live(), await router.live()
    await router.tell(PROJECT, say.rollback(good))
    await router.reactors.settle()
    await router.tell(PROJECT, say.promotion(failing))
    await router.reactors.settle()
    router.proxy.outage = timedelta(seconds=40)
    await restored(router, failing, good)
    await router.reactors.advance(timedelta(seconds=10))
    assert codes(router) == ["routes-not-confirmed"]
    assert router.proxy.servers("shop.localhost") == [url_of(failing)]
    pushed = await router.pushed()
    assert router.proxy.servers("shop.localhost") == [url_of(pushed)]
