"""Rollbacks and promotions over a log in memory: what was live before answers again, or a reason is given."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from support import router_events as say
from support.memory_router import MemoryRouter
from support.router_events import PREVIEW, PROJECT, url_of
from windlass_contracts.events import DeploymentSuperseded, RoutesFailed
from windlass_contracts.events.deployment import Stage
from windlass_contracts.ids import DeploymentId


@pytest.fixture
async def router() -> AsyncIterator[MemoryRouter]:
    async with MemoryRouter().running() as running:
        await running.founded()
        yield running


async def asleep(router: MemoryRouter) -> DeploymentId:
    """Return a deployment that was live, was replaced, and is paused."""
    old = await router.live()
    await router.live()
    await router.tell(old, say.paused(old))
    return old


async def woken(router: MemoryRouter, deployment: DeploymentId) -> None:
    await router.tell(deployment, say.resumed(deployment), say.healthy(deployment))
    await router.reactors.settle()


def failure(router: MemoryRouter) -> tuple[Stage, str]:
    failed = router.last(PROJECT)
    assert isinstance(failed, RoutesFailed)
    return failed.stage, failed.code


async def test_a_rollback_waits_until_the_old_version_was_seen_healthy_again(router: MemoryRouter) -> None:
    old = await asleep(router)
    current = router.proxy.servers("shop.localhost")
    await router.tell(PROJECT, say.rollback(old))
    await router.reactors.settle()
    await router.tell(old, say.resumed(old))
    await router.reactors.settle()
    assert router.proxy.servers("shop.localhost") == current
    await router.tell(old, say.healthy(old))
    await router.reactors.settle()
    assert router.proxy.servers("shop.localhost") == [url_of(old)]
    assert router.proxy.servers(f"shop--id--{old.hex[:12]}.localhost") == [url_of(old)]
    assert router.types(PROJECT)[-2:] == ["aliases.changed.v1", "routes.applied.v1"]


async def test_a_rollback_claims_its_target_before_it_moves_an_address(router: MemoryRouter) -> None:
    old = await asleep(router)
    await router.tell(PROJECT, say.rollback(old))
    await woken(router, old)
    order = [router.log.at(n).event.TYPE for n in range(1, router.log.length + 1)]
    assert order[-3:] == ["cutover.started.v1", "aliases.changed.v1", "routes.applied.v1"]


async def test_a_rollback_to_what_does_not_come_back_is_given_up_at_its_deadline(router: MemoryRouter) -> None:
    old = await asleep(router)
    current = router.proxy.servers("shop.localhost")
    await router.tell(PROJECT, say.rollback(old))
    await router.reactors.advance(timedelta(seconds=119))
    assert router.types(PROJECT)[-1] == "rollback.requested.v1"
    await router.reactors.advance(timedelta(seconds=2))
    assert failure(router) == (Stage.HEALTH, "not-healthy-again")
    assert router.proxy.servers("shop.localhost") == current


async def test_a_rollback_to_what_never_was_live_is_refused(router: MemoryRouter) -> None:
    await router.live()
    never = await router.requested()
    await router.tell(PROJECT, say.rollback(never))
    await router.reactors.settle()
    assert failure(router) == (Stage.ROUTE, "never-live")


async def test_a_rollback_to_what_answers_already_is_refused(router: MemoryRouter) -> None:
    live = await router.live()
    await router.tell(PROJECT, say.rollback(live))
    await router.reactors.settle()
    assert failure(router) == (Stage.ROUTE, "nothing-to-do")


async def test_of_two_rollbacks_the_later_one_wins(router: MemoryRouter) -> None:
    first, second = await asleep(router), await router.live()
    await router.live()
    one = await router.tell(PROJECT, say.rollback(first))
    await router.tell(PROJECT, say.rollback(second))
    await router.reactors.settle()
    await woken(router, first)
    assert router.proxy.servers("shop.localhost") == [url_of(second)]
    failed = [event for event in router.events(PROJECT) if isinstance(event, RoutesFailed)]
    assert [(event.request, event.code) for event in failed] == [(one, "outrun")]


async def test_a_deployment_that_was_asked_for_before_a_rollback_does_not_undo_it(router: MemoryRouter) -> None:
    old = await asleep(router)
    underway = await router.requested()
    await router.tell(PROJECT, say.rollback(old))
    await woken(router, old)
    await router.healthy(underway)
    assert router.last(underway) == DeploymentSuperseded(by=old)
    assert router.proxy.servers("shop.localhost") == [url_of(old)]


async def test_a_deployment_that_was_asked_for_after_a_rollback_takes_over(router: MemoryRouter) -> None:
    old = await asleep(router)
    await router.tell(PROJECT, say.rollback(old))
    await woken(router, old)
    fresh = await router.live()
    assert router.proxy.servers("shop.localhost") == [url_of(fresh)]


async def test_a_rollback_outrun_by_a_later_deployment_is_refused(router: MemoryRouter) -> None:
    old = await asleep(router)
    await router.tell(PROJECT, say.rollback(old))
    await router.reactors.settle()
    fresh = await router.live()
    await woken(router, old)
    assert failure(router) == (Stage.ROUTE, "outrun")
    assert router.proxy.servers("shop.localhost") == [url_of(fresh)]


async def test_a_rollback_that_is_not_confirmed_is_taken_back_and_failed_before_that_is_applied(
    router: MemoryRouter,
) -> None:
    old, current = await router.live(), await router.live()
    router.proxy.outage = timedelta(seconds=33)
    await router.tell(PROJECT, say.rollback(old))
    await router.reactors.settle()
    assert router.types(PROJECT)[-3:] == ["aliases.changed.v1", "routes.failed.v1", "routes.applied.v1"]
    assert router.proxy.servers("shop.localhost") == [url_of(current)]


async def test_a_rollback_that_somebody_gave_up_after_it_moved_is_taken_back(router: MemoryRouter) -> None:
    old, current = await router.live(), await router.live()
    request = await router.tell(PROJECT, say.rollback(old))
    before = router.log.length
    await router.reactors.settle()
    cut = MemoryRouter()
    cut.log._messages[:] = router.log._messages[: before + 2]  # claimed, and moved
    await cut.tell(PROJECT, RoutesFailed(request=request, stage=Stage.DEADLINE, code="abandoned", reason="Too late."))
    async with cut.running():
        await cut.reactors.settle()
    assert cut.proxy.servers("shop.localhost") == [url_of(current)]
    assert cut.types(PROJECT)[-2:] == ["aliases.changed.v1", "routes.applied.v1"]


async def test_a_promotion_brings_what_was_previewed_to_production_and_leaves_the_preview(
    router: MemoryRouter,
) -> None:
    await router.live()
    preview = await router.live(PREVIEW, "idea")
    await router.tell(PROJECT, say.promotion(preview))
    await router.reactors.settle()
    for label in ("shop", "shop--preview", "shop--git--idea"):
        assert router.proxy.servers(f"{label}.localhost") == [url_of(preview)]


async def test_a_promotion_opens_an_environment_that_never_answered(router: MemoryRouter) -> None:
    preview = await router.live(PREVIEW, "idea")
    await router.tell(PROJECT, say.promotion(preview))
    await router.reactors.settle()
    assert router.proxy.servers("shop.localhost") == [url_of(preview)]


async def test_a_target_that_stops_after_it_was_claimed_moves_nothing(router: MemoryRouter) -> None:
    old, current = await router.live(), await router.live()
    await router.tell(PROJECT, say.rollback(old))
    before = router.log.length
    await router.reactors.settle()
    cut = MemoryRouter()
    cut.log._messages[:] = router.log._messages[: before + 1]  # claimed
    await cut.tell(old, say.stopped(old))
    async with cut.running():
        await cut.reactors.advance(timedelta(minutes=3))
    assert cut.proxy.servers("shop.localhost") == [url_of(current)]
    assert failure(cut) == (Stage.HEALTH, "not-healthy-again")
