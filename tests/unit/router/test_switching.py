"""The router over a log in memory: who answers where, whatever finishes first, fails or stops."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from support import router_events as say
from support.memory_router import MemoryRouter
from support.router_events import PREVIEW, PROJECT, url_of
from windlass_contracts.config import Deadlines, DeploymentConfig
from windlass_contracts.events import DeploymentSuperseded, Failed, RoutesApplied
from windlass_contracts.events.deployment import Stage


@pytest.fixture
async def router() -> AsyncIterator[MemoryRouter]:
    async with MemoryRouter().running() as running:
        await running.founded()
        yield running


async def test_a_healthy_deployment_is_live_once_its_addresses_are_confirmed(router: MemoryRouter) -> None:
    deployment = await router.live()
    assert router.types(deployment)[-2:] == ["cutover.started.v1", "deployment.live.v1"]
    assert router.types(PROJECT)[-2:] == ["aliases.changed.v1", "routes.applied.v1"]
    for label in ("shop", "shop--git--main", f"shop--id--{deployment.hex[:12]}"):
        assert router.proxy.servers(f"{label}.localhost") == [url_of(deployment)]


async def test_routes_are_called_applied_with_a_generation_that_contains_the_decision(router: MemoryRouter) -> None:
    await router.live()
    decided = next(n for n in range(1, router.log.length) if router.log.at(n).event.TYPE == "aliases.changed.v1")
    applied = router.last(PROJECT)
    assert isinstance(applied, RoutesApplied)
    assert applied.generation >= decided


async def test_the_latest_request_wins_though_an_earlier_one_is_healthy_later(router: MemoryRouter) -> None:
    older, newer = await router.requested(), await router.requested()
    await router.healthy(newer)
    await router.healthy(older)
    assert router.last(older) == DeploymentSuperseded(by=newer)
    assert router.proxy.servers("shop.localhost") == [url_of(newer)]


async def test_a_preview_of_another_branch_keeps_its_address_though_it_was_asked_for_earlier(
    router: MemoryRouter,
) -> None:
    one, other = await router.requested(PREVIEW, "one"), await router.requested(PREVIEW, "other")
    await router.healthy(other)
    await router.healthy(one)
    assert router.types(one)[-1] == "deployment.live.v1"
    assert router.proxy.servers("shop--git--one.localhost") == [url_of(one)]
    assert router.proxy.servers("shop--preview.localhost") == [url_of(other)]


async def test_all_replicas_have_to_be_healthy_before_one_request_goes_to_them(router: MemoryRouter) -> None:
    deployment = await router.requested(config=DeploymentConfig(replicas=2))
    await router.tell(deployment, *say.built(), say.started(deployment), say.healthy(deployment))
    await router.tell(deployment, say.started(deployment, 1))
    await router.reactors.settle()
    assert router.types(deployment)[-1] == "container.started.v1"
    await router.tell(deployment, say.healthy(deployment, 1))
    await router.reactors.settle()
    assert router.types(deployment)[-1] == "deployment.live.v1"
    assert router.proxy.servers("shop.localhost") == [url_of(deployment), url_of(deployment, 1)]


async def test_too_few_healthy_replicas_end_a_deployment_at_the_deadline(router: MemoryRouter) -> None:
    live = await router.live()
    config = DeploymentConfig(replicas=2, deadlines=Deadlines(start_s=3, health_s=4))
    deployment = await router.requested(config=config)
    await router.tell(deployment, *say.built(), say.started(deployment), say.healthy(deployment))
    await router.reactors.advance(timedelta(seconds=6.9))
    assert router.types(deployment)[-1] == "health.passed.v1"
    await router.reactors.advance(timedelta(seconds=0.2))
    failed = router.last(deployment)
    assert isinstance(failed, Failed)
    assert (failed.stage, failed.code) == (Stage.HEALTH, "too-few-healthy")
    assert router.proxy.servers("shop.localhost") == [url_of(live)]


async def test_a_replaced_version_is_asleep_at_its_own_address(router: MemoryRouter) -> None:
    old = await router.live()
    await router.live()
    assert router.proxy.servers(f"shop--id--{old.hex[:12]}.localhost") == []


async def test_routes_that_nobody_confirms_are_taken_back_and_the_deployment_fails(router: MemoryRouter) -> None:
    old = await router.live()
    router.proxy.outage = timedelta(minutes=1)
    new = await router.live()
    failed = router.last(new)
    assert isinstance(failed, Failed)
    assert (failed.stage, failed.code) == (Stage.ROUTE, "routes-not-confirmed")
    assert "did not confirm the new routes within" in failed.reason
    assert router.proxy.servers("shop.localhost") == [url_of(old)]
    assert router.types(PROJECT)[-1] == "routes.applied.v1"
    assert router.types(old)[-1] == "deployment.live.v1"


async def test_addresses_that_were_new_are_given_up_when_their_first_cutover_fails(router: MemoryRouter) -> None:
    router.proxy.outage = timedelta(minutes=1)
    await router.live()
    assert router.proxy.servers("shop.localhost") is None


async def test_a_route_that_the_proxy_refuses_fails_at_once_and_alone(router: MemoryRouter) -> None:
    live = await router.live(PREVIEW, "one")
    new = await router.requested()
    router.proxy.refuses = [f"d-{new.hex}"]
    await router.healthy(new)
    failed = router.last(new)
    assert isinstance(failed, Failed)
    assert "refused the new route" in failed.reason
    assert router.proxy.servers("shop--preview.localhost") == [url_of(live)]


async def test_a_cutover_that_somebody_ended_meanwhile_gives_its_addresses_back(router: MemoryRouter) -> None:
    old = await router.live()
    new = await router.requested()
    await router.tell(new, *say.built(), say.started(new), say.healthy(new))
    before = router.log.length
    await router.reactors.settle()
    cut = MemoryRouter()
    cut.log._messages[:] = router.log._messages[: before + 2]  # the cutover began, the aliases moved
    await cut.abandoned(new)
    async with cut.running():
        await cut.reactors.settle()
    assert cut.proxy.servers("shop.localhost") == [url_of(old)]
    assert cut.types(new)[-1] == "deployment.failed.v1"
    assert cut.types(PROJECT)[-1] == "routes.applied.v1"


async def test_containers_that_stop_during_the_cutover_cost_the_old_version_nothing(router: MemoryRouter) -> None:
    old = await router.live()
    new = await router.requested()
    await router.tell(new, *say.built(), say.started(new), say.healthy(new))
    before = router.log.length
    await router.reactors.settle()
    for length in (before + 1, before + 2, before + 3):
        cut = MemoryRouter()
        cut.log._messages[:] = router.log._messages[:length]
        await cut.tell(new, say.stopped(new))
        async with cut.running():
            await cut.reactors.settle()
        failed = cut.last(new)
        assert isinstance(failed, Failed)
        assert failed.code == "containers-lost"
        assert cut.proxy.servers("shop.localhost") == [url_of(old)]


async def test_a_container_that_is_gone_gets_no_request(router: MemoryRouter) -> None:
    live = await router.live()
    await router.tell(live, say.stopped(live))
    await router.reactors.settle()
    assert router.proxy.servers("shop.localhost") == []


async def test_a_container_that_restarted_where_it_was_is_still_asked(router: MemoryRouter) -> None:
    live = await router.live()
    await router.tell(live, say.stopped(live), say.started(live))
    await router.reactors.settle()
    assert router.proxy.servers("shop.localhost") == [url_of(live)]


async def test_a_replica_that_lost_its_health_gets_no_request_while_another_has_it(router: MemoryRouter) -> None:
    deployment = await router.requested(config=DeploymentConfig(replicas=2))
    await router.healthy(deployment, replicas=2)
    await router.tell(deployment, say.unhealthy(deployment))
    await router.reactors.settle()
    assert router.proxy.servers("shop.localhost") == [url_of(deployment, 1)]
    await router.tell(deployment, say.unhealthy(deployment, 1))
    await router.reactors.settle()
    assert router.proxy.servers("shop.localhost") == [url_of(deployment), url_of(deployment, 1)]
    await router.tell(deployment, say.healthy(deployment))
    await router.reactors.settle()
    assert router.proxy.servers("shop.localhost") == [url_of(deployment)]


async def test_what_changes_nothing_is_not_handed_over_again(router: MemoryRouter) -> None:
    live = await router.live()
    marks = list(router.proxy.marks)
    await router.tell(live, say.healthy(live))
    await router.reactors.settle()
    assert router.proxy.marks == marks


async def test_whatever_is_delivered_twice_changes_nothing(router: MemoryRouter) -> None:
    await router.live()
    before = router.log.length
    for sequence in range(1, before + 1):
        router.reactors.deliver_again(sequence)
    await router.reactors.settle()
    assert router.log.length == before
