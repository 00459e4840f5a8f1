"""Gradual rollouts over a log in memory: a new version gets its environment step by step, or not at all."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from support import router_events as say
from support.memory_router import MemoryRouter
from support.router_events import PREVIEW, PRODUCTION, PROJECT, url_of
from windlass_contracts.config import DeploymentConfig, Rollout, RolloutStep
from windlass_contracts.event import Event
from windlass_contracts.events import (
    DeploymentLive,
    DeploymentSuperseded,
    DomainAssigned,
    Failed,
    RoutesFailed,
    WeightChanged,
)
from windlass_contracts.events.deployment import Stage
from windlass_contracts.ids import DeploymentId, EnvironmentId

MINUTES = timedelta(minutes=1)
STEPS = DeploymentConfig(
    rollout=Rollout(steps=(RolloutStep(weight=5, for_s=60), RolloutStep(weight=25, for_s=120))), replicas=1
)


@pytest.fixture
async def router() -> AsyncIterator[MemoryRouter]:
    async with MemoryRouter().running() as running:
        await running.founded()
        yield running


async def stepping(
    router: MemoryRouter, environment: EnvironmentId = PRODUCTION, ref: str | None = "main", trigger: str = "api"
) -> DeploymentId:
    """Let a deployment that goes by steps become healthy."""
    deployment = await router.requested(environment, ref, STEPS, trigger)
    await router.healthy(deployment)
    return deployment


async def told(router: MemoryRouter, *events: Event) -> None:
    await router.tell(PROJECT, *events)
    await router.reactors.settle()


def shares(router: MemoryRouter, label: str = "shop") -> dict[str, int] | None:
    return router.proxy.weights(f"{label}.localhost")


def changes(router: MemoryRouter) -> list[tuple[DeploymentId, int, str]]:
    found = (event for event in router.events(PROJECT) if isinstance(event, WeightChanged))
    return [(event.deployment, event.weight, event.why) for event in found]


def failures(router: MemoryRouter) -> list[str]:
    return [event.code for event in router.events(PROJECT) if isinstance(event, RoutesFailed)]


async def test_the_first_version_of_an_environment_takes_all_of_it_at_once(router: MemoryRouter) -> None:
    first = await stepping(router)
    assert shares(router) == {url_of(first): 100}
    assert not changes(router)


async def test_a_version_with_steps_is_live_at_its_own_addresses_and_gets_its_first_weight(
    router: MemoryRouter,
) -> None:
    old = await router.live()
    new = await stepping(router)
    assert isinstance(router.last(new), DeploymentLive)
    assert shares(router, "shop--git--main") == shares(router, f"shop--id--{new.hex[:12]}") == {url_of(new): 100}
    assert shares(router) == shares(router, f"shop--env--{PRODUCTION.hex[:12]}") == {url_of(old): 95, url_of(new): 5}
    assert router.types(PROJECT)[-2:] == ["weight.changed.v1", "routes.applied.v1"]


async def test_steps_follow_each_other_when_their_time_is_over_and_then_it_has_the_environment(
    router: MemoryRouter,
) -> None:
    old = await router.live()
    new = await stepping(router)
    await router.reactors.advance(timedelta(seconds=59))
    assert shares(router) == {url_of(old): 95, url_of(new): 5}
    await router.reactors.advance(timedelta(seconds=2))
    assert shares(router) == {url_of(old): 75, url_of(new): 25}
    await router.reactors.advance(2 * MINUTES)
    assert shares(router) == {url_of(new): 100}
    assert changes(router) == [(new, 5, "rollout"), (new, 25, "rollout")]
    assert router.types(PROJECT)[-2:] == ["aliases.changed.v1", "routes.applied.v1"]


async def test_domains_are_shared_and_the_next_version_without_a_branch_has_its_own_address(
    router: MemoryRouter,
) -> None:
    old = await router.live()
    await told(router, DomainAssigned(host="shop.example", environment=PRODUCTION))
    new = await stepping(router, ref=None)
    assert router.proxy.weights("shop.example") == {url_of(old): 95, url_of(new): 5}
    assert shares(router, f"shop--id--{new.hex[:12]}") == {url_of(new): 100}


async def test_a_step_waits_until_all_containers_are_healthy(router: MemoryRouter) -> None:
    old = await router.live()
    new = await stepping(router)
    await router.tell(new, say.unhealthy(new))
    await router.reactors.advance(5 * MINUTES)
    assert shares(router) == {url_of(old): 95, url_of(new): 5}
    await router.tell(new, say.healthy(new))
    await router.reactors.settle()
    assert shares(router) == {url_of(old): 75, url_of(new): 25}


async def test_a_step_that_waits_keeps_nothing_else_waiting(router: MemoryRouter) -> None:
    await router.live()
    await stepping(router)
    preview = await router.live(PREVIEW, "idea")
    assert shares(router, "shop--preview") == {url_of(preview): 100}
    assert len(router.reactors.waiting) == 1


async def test_what_stops_gets_nothing_any_more_and_does_not_come_back_by_itself(router: MemoryRouter) -> None:
    old = await router.live()
    new = await stepping(router)
    await router.tell(new, say.stopped(new))
    await router.reactors.settle()
    assert shares(router) == {url_of(old): 100}
    assert changes(router)[-1] == (new, 0, "lost")
    await router.tell(new, say.started(new), say.healthy(new))
    await router.reactors.advance(10 * MINUTES)
    assert shares(router) == {url_of(old): 100}


async def test_requests_go_to_the_new_version_while_the_old_one_has_no_container(router: MemoryRouter) -> None:
    old = await router.live()
    new = await stepping(router)
    await router.tell(old, say.stopped(old))
    await router.reactors.settle()
    assert shares(router) == {url_of(new): 100}
    await router.tell(old, say.started(old), say.healthy(old))
    await router.reactors.settle()
    assert shares(router) == {url_of(old): 95, url_of(new): 5}


async def test_where_nothing_answers_any_more_a_version_with_steps_takes_all_at_once(router: MemoryRouter) -> None:
    old = await router.live()
    await router.tell(old, say.stopped(old))
    new = await stepping(router)
    assert shares(router) == {url_of(new): 100}


async def test_somebody_stops_a_rollout(router: MemoryRouter) -> None:
    old = await router.live()
    new = await stepping(router)
    await told(router, say.rollout_stopped())
    assert shares(router) == {url_of(old): 100}
    assert changes(router)[-1] == (new, 0, "stopped")
    assert shares(router, "shop--git--main") == {url_of(new): 100}
    await router.reactors.advance(10 * MINUTES)
    assert shares(router) == {url_of(old): 100}


async def test_what_fails_while_it_has_a_weight_loses_it(router: MemoryRouter) -> None:
    old = await router.live()
    new = await stepping(router)
    await told(router, say.restore(new, old))
    assert shares(router) == {url_of(old): 100}
    assert changes(router)[-1] == (new, 0, "restore")
    assert router.types(PROJECT)[-1] == "routes.applied.v1"
    assert not failures(router)


async def test_a_weight_by_hand_ends_the_steps(router: MemoryRouter) -> None:
    old = await router.live()
    new = await stepping(router)
    await told(router, say.weight(new, 50))
    assert shares(router) == {url_of(old): 50, url_of(new): 50}
    await router.reactors.advance(10 * MINUTES)
    assert shares(router) == {url_of(old): 50, url_of(new): 50}
    await told(router, say.weight(new, 10))
    assert shares(router) == {url_of(old): 90, url_of(new): 10}
    await told(router, say.weight(new, 100))
    assert shares(router) == {url_of(new): 100}
    assert not failures(router)


async def test_an_earlier_version_gets_a_weight_once_it_runs_again(router: MemoryRouter) -> None:
    old = await router.live()
    current = await router.live()
    await router.tell(old, say.paused(old))
    await told(router, say.weight(old, 10))
    assert shares(router) == {url_of(current): 100}
    await router.tell(old, say.resumed(old), say.healthy(old))
    await router.reactors.settle()
    assert shares(router) == {url_of(current): 90, url_of(old): 10}
    assert shares(router, f"shop--id--{old.hex[:12]}") is not None
    assert router.types(old)[-1] == "cutover.started.v1"


async def test_another_environments_version_gets_a_weight(router: MemoryRouter) -> None:
    current = await router.live()
    preview = await router.live(PREVIEW, "idea")
    await told(router, say.weight(preview, 20))
    assert shares(router) == {url_of(current): 80, url_of(preview): 20}
    assert shares(router, "shop--preview") == {url_of(preview): 100}


async def test_weights_that_cannot_be_are_refused(router: MemoryRouter) -> None:
    first = await router.live()
    never = await router.requested()
    preview = await router.live(PREVIEW, "idea")
    await told(router, say.weight(never, 10))
    await told(router, say.weight(first, 10))
    await told(router, say.weight(first, 10, EnvironmentId(PROJECT)))
    await told(router, say.weight(preview, 10))
    await told(router, say.rollout_stopped())
    assert failures(router) == ["never-live", "nothing-to-do", "nothing-to-share"]
    assert shares(router) == {url_of(first): 100}


async def test_of_two_weights_the_later_one_wins_and_there_is_never_more_than_one(router: MemoryRouter) -> None:
    current, one, other = await router.live(), *[await router.live(PREVIEW, name) for name in ("one", "other")]
    await told(router, say.weight(one, 10))
    await told(router, say.weight(other, 20))
    assert shares(router) == {url_of(current): 80, url_of(other): 20}
    assert changes(router) == [(one, 10, "asked"), (one, 0, "overtaken"), (other, 20, "asked")]


async def test_a_weight_that_somebody_stops_before_it_was_given_is_refused(router: MemoryRouter) -> None:
    old = await router.live()
    current = await router.live()
    await router.tell(old, say.paused(old))
    await told(router, say.weight(old, 10))
    await told(router, say.rollout_stopped())
    assert failures(router) == ["stopped"]
    await router.tell(old, say.resumed(old), say.healthy(old))
    await router.reactors.settle()
    assert shares(router) == {url_of(current): 100}


async def test_a_weight_for_what_does_not_come_back_is_given_up(router: MemoryRouter) -> None:
    old = await router.live()
    await router.live()
    await router.tell(old, say.paused(old))
    await told(router, say.weight(old, 10))
    await router.reactors.advance(3 * MINUTES)
    assert failures(router) == ["not-healthy-again"]


@pytest.mark.parametrize("steps", [True, False])
async def test_a_later_version_ends_the_weight_of_an_earlier_one(router: MemoryRouter, *, steps: bool) -> None:
    old = await router.live()
    earlier = await stepping(router)
    later = await stepping(router) if steps else await router.live()
    assert shares(router) == ({url_of(old): 95, url_of(later): 5} if steps else {url_of(later): 100})
    assert (earlier, 0, "overtaken") in changes(router)


async def test_what_was_asked_for_before_a_rollout_steps_aside(router: MemoryRouter) -> None:
    old = await router.live()
    slow = await router.requested()
    new = await stepping(router)
    await router.healthy(slow)
    assert router.last(slow) == DeploymentSuperseded(by=new)
    assert shares(router) == {url_of(old): 95, url_of(new): 5}


async def test_a_rollback_ends_a_rollout_and_holds_the_next_push_with_steps(router: MemoryRouter) -> None:
    oldest = await router.live()
    await router.live()
    new = await stepping(router)
    await told(router, say.rollback(oldest))
    assert shares(router) == {url_of(oldest): 100}
    assert changes(router)[-1] == (new, 0, "overtaken")
    push = await stepping(router, trigger="webhook")
    await router.reactors.advance(10 * MINUTES)
    assert shares(router) == {url_of(oldest): 100}
    assert shares(router, "shop--git--main") == {url_of(push): 100}
    asked = await stepping(router)
    assert shares(router) == {url_of(oldest): 95, url_of(asked): 5}


async def test_a_finished_rollout_ends_a_hold_and_an_unfinished_one_does_not(router: MemoryRouter) -> None:
    oldest = await router.live()
    await router.live()
    await told(router, say.rollback(oldest))
    asked = await stepping(router)
    push = await router.pushed()
    assert shares(router) == {url_of(oldest): 95, url_of(asked): 5}
    assert shares(router, "shop--git--main") == {url_of(push): 100}
    await router.reactors.advance(10 * MINUTES)
    assert shares(router) == {url_of(asked): 100}
    push = await router.pushed()
    assert shares(router) == {url_of(push): 100}


async def test_a_promotion_of_what_has_a_weight_gives_it_all(router: MemoryRouter) -> None:
    await router.live()
    new = await stepping(router)
    await told(router, say.promotion(new))
    assert shares(router) == {url_of(new): 100}
    assert changes(router) == [(new, 5, "rollout")]


async def test_a_first_step_that_is_not_confirmed_is_taken_back(router: MemoryRouter) -> None:
    old = await router.live()
    preview = await router.live(PREVIEW, "idea")
    router.proxy.outage = timedelta(seconds=33)
    await told(router, say.weight(preview, 10))
    assert failures(router) == ["routes-not-confirmed"]
    assert changes(router) == [(preview, 10, "asked"), (preview, 0, "compensation")]
    assert shares(router) == {url_of(old): 100}


async def test_a_later_step_that_is_not_confirmed_goes_back_to_the_one_before_and_is_tried_again(
    router: MemoryRouter,
) -> None:
    old = await router.live()
    new = await stepping(router)
    await router.reactors.advance(timedelta(seconds=55))
    router.proxy.outage = timedelta(seconds=33)
    await router.reactors.advance(timedelta(seconds=60))
    assert changes(router)[-2:] == [(new, 25, "rollout"), (new, 5, "compensation")]
    assert shares(router) == {url_of(old): 95, url_of(new): 5}
    await router.reactors.advance(2 * MINUTES)
    assert shares(router) == {url_of(old): 75, url_of(new): 25}


@pytest.mark.parametrize("by_hand", [True, False])
async def test_a_last_step_that_is_not_confirmed_leaves_the_weight_as_it_was(
    router: MemoryRouter, *, by_hand: bool
) -> None:
    old = await router.live()
    new = await stepping(router)
    await router.reactors.advance(timedelta(seconds=61))
    if by_hand:
        router.proxy.outage = timedelta(seconds=33)
        await told(router, say.weight(new, 100))
        assert failures(router) == ["routes-not-confirmed"]
    else:
        await router.reactors.advance(timedelta(seconds=118))
        router.proxy.outage = timedelta(seconds=33)
        await router.reactors.advance(timedelta(seconds=60))
    assert "compensation" in [getattr(event, "why", None) for event in router.events(PROJECT)]
    assert shares(router) == {url_of(old): 75, url_of(new): 25}
    await router.reactors.advance(3 * MINUTES)
    assert shares(router) == {url_of(new): 100}


async def test_a_stop_that_the_proxies_do_not_confirm_is_never_taken_back(router: MemoryRouter) -> None:
    old = await router.live()
    new = await stepping(router)
    router.proxy.outage = timedelta(seconds=90)
    await told(router, say.rollout_stopped())
    await router.reactors.advance(MINUTES)
    assert changes(router)[-1] == (new, 0, "stopped")
    assert shares(router) == {url_of(old): 100}
    assert router.types(PROJECT)[-1] == "routes.applied.v1"


async def test_a_weight_that_somebody_gave_up_after_it_changed_is_taken_back(router: MemoryRouter) -> None:
    old = await router.live()
    preview = await router.live(PREVIEW, "idea")
    request = await router.tell(PROJECT, say.weight(preview, 10))
    before = router.log.length
    await router.reactors.settle()
    cut = MemoryRouter()
    cut.log._messages[:] = router.log._messages[: before + 2]  # claimed, and changed
    await cut.tell(PROJECT, RoutesFailed(request=request, stage=Stage.DEADLINE, code="abandoned", reason="Too late."))
    async with cut.running():
        await cut.reactors.settle()
    assert shares(cut) == {url_of(old): 100}
    assert cut.types(PROJECT)[-2:] == ["weight.changed.v1", "routes.applied.v1"]


async def test_a_cutover_with_steps_that_is_not_confirmed_fails_and_gets_no_weight(router: MemoryRouter) -> None:
    old = await router.live()
    new = await router.requested(ref=None, config=STEPS)
    router.proxy.outage = timedelta(seconds=33)
    await router.healthy(new)
    failed = router.last(new)
    assert isinstance(failed, Failed)
    assert failed.code == "routes-not-confirmed"
    assert not changes(router)
    assert shares(router) == {url_of(old): 100}


async def just_live(router: MemoryRouter) -> tuple[MemoryRouter, DeploymentId]:
    """Return a router that was killed right after it said that a version with steps is live, and that version."""
    new = await stepping(router)
    first = next(
        sequence
        for sequence in range(1, router.log.length + 1)
        if isinstance(router.log.at(sequence).event, WeightChanged)
    )
    cut = MemoryRouter(began=router.now(), deployments=router.deployments)
    cut.log._messages[:] = router.log._messages[: first - 1]
    assert isinstance(cut.last(new), DeploymentLive)
    return cut, new


async def test_a_first_step_comes_before_anything_else_although_a_container_fell_sick(router: MemoryRouter) -> None:
    old = await router.live()
    preview = await router.requested(PREVIEW, "idea")
    await router.tell(preview, *say.built(), say.started(preview), say.healthy(preview))
    cut, new = await just_live(router)
    await cut.tell(new, say.unhealthy(new))
    async with cut.running():
        await cut.reactors.settle()
        assert changes(cut) == [(new, 5, "rollout")]
        assert shares(cut) == {url_of(old): 95, url_of(new): 5}
        other = await cut.live(PREVIEW, "another")
        await cut.tell(new, say.healthy(new))
        await cut.reactors.advance(10 * MINUTES)
    assert shares(cut, "shop--preview") == {url_of(other): 100}
    assert shares(cut) == {url_of(new): 100}


async def test_what_had_the_environment_and_stopped_before_the_first_step_loses_it_at_once(
    router: MemoryRouter,
) -> None:
    old = await router.live()
    cut, new = await just_live(router)
    await cut.tell(old, say.stopped(old))
    async with cut.running():
        await cut.reactors.settle()
    assert shares(cut) == {url_of(new): 100}
    assert not changes(cut)


async def test_a_version_that_stopped_before_its_first_step_is_said_to_be_lost(router: MemoryRouter) -> None:
    old = await router.live()
    cut, new = await just_live(router)
    await cut.tell(new, say.stopped(new))
    async with cut.running():
        await cut.reactors.settle()
        await cut.tell(new, say.started(new), say.healthy(new))
        await cut.reactors.advance(10 * MINUTES)
    assert changes(cut) == [(new, 0, "lost")]
    assert shares(cut) == {url_of(old): 100}


async def test_a_rollout_that_ended_lets_no_earlier_version_begin_its_own(router: MemoryRouter) -> None:
    old = await router.live(PREVIEW)
    slow = await router.requested(PREVIEW, "slow", STEPS)
    by_hand = await router.live(PRODUCTION, "other")
    await told(router, say.weight(by_hand, 10, PREVIEW))
    await router.healthy(slow)
    assert shares(router, "shop--git--slow") == {url_of(slow): 100}
    await told(router, say.rollout_stopped(PREVIEW))
    await router.reactors.advance(10 * MINUTES)
    assert shares(router, "shop--preview") == {url_of(old): 100}
    assert changes(router) == [(by_hand, 10, "asked"), (by_hand, 0, "stopped")]


async def test_a_crash_anywhere_changes_nothing_about_the_end(router: MemoryRouter) -> None:
    await router.live()
    begun = router.log.length
    new = await stepping(router)
    await router.reactors.advance(10 * MINUTES)
    for length in range(begun, router.log.length + 1):
        cut = MemoryRouter(began=router.now())
        cut.log._messages[:] = router.log._messages[:length]
        async with cut.running():
            await cut.reactors.advance(10 * MINUTES)
            if "deployment.health.passed.v1" in cut.types(new) or "cutover.started.v1" in cut.types(new):
                assert cut.types(PROJECT) == router.types(PROJECT), length
                assert shares(cut) == {url_of(new): 100}
