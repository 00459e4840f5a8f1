"""What a rollback holds back: pushes become live beside the environment until it is released."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import router_events as say
from support.memory_router import MemoryRouter
from support.router_events import PREVIEW, PRODUCTION, PROJECT, url_of
from windlass_contracts.events import DeploymentLive, DeploymentSuperseded, DomainAssigned, RoutesFailed
from windlass_contracts.ids import DeploymentId


@pytest.fixture
async def router() -> AsyncIterator[MemoryRouter]:
    async with MemoryRouter().running() as running:
        await running.founded()
        yield running


async def rolled_back(router: MemoryRouter) -> tuple[DeploymentId, DeploymentId]:
    """Return what production was rolled back to, and what it answered with before."""
    old, replaced = await router.live(), await router.live()
    await router.tell(PROJECT, say.rollback(old))
    await router.reactors.settle()
    assert answers(router) == [url_of(old)]
    return old, replaced


def answers(router: MemoryRouter, label: str = "shop") -> list[str] | None:
    return router.proxy.servers(f"{label}.localhost")


async def test_a_push_to_a_held_production_is_live_at_its_own_and_its_branchs_address_alone(
    router: MemoryRouter,
) -> None:
    old, _ = await rolled_back(router)
    push = await router.pushed()
    assert isinstance(router.last(push), DeploymentLive)
    assert answers(router, "shop--git--main") == answers(router, f"shop--id--{push.hex[:12]}") == [url_of(push)]
    assert answers(router) == answers(router, f"shop--env--{PRODUCTION.hex[:12]}") == [url_of(old)]


async def test_a_push_from_before_the_rollback_that_finishes_behind_it_keeps_its_branch(router: MemoryRouter) -> None:
    old = await router.live()
    await router.live()
    push = await router.requested(trigger="webhook")
    await router.tell(PROJECT, say.rollback(old))
    await router.reactors.settle()
    await router.healthy(push)
    assert isinstance(router.last(push), DeploymentLive)
    assert answers(router) == [url_of(old)]


async def test_a_push_to_another_held_environment_leaves_that_alone_too(router: MemoryRouter) -> None:
    old = await router.live(PREVIEW, "idea")
    await router.live(PREVIEW, "idea")
    await router.tell(PROJECT, say.rollback(old, PREVIEW))
    await router.reactors.settle()
    push = await router.pushed(PREVIEW, "idea")
    assert answers(router, "shop--preview") == [url_of(old)]
    assert answers(router, "shop--git--idea") == [url_of(push)]


async def test_a_hold_is_one_environments_alone(router: MemoryRouter) -> None:
    await rolled_back(router)
    push = await router.pushed(PREVIEW, "idea")
    assert answers(router, "shop--preview") == [url_of(push)]


async def test_of_what_is_held_back_the_latest_has_the_branch_whatever_finishes_first(router: MemoryRouter) -> None:
    await rolled_back(router)
    earlier, later = [await router.requested(trigger="webhook") for _ in range(2)]
    await router.healthy(later)
    await router.healthy(earlier)
    assert router.last(earlier) == DeploymentSuperseded(by=later)
    assert answers(router, "shop--git--main") == [url_of(later)]


async def test_what_is_held_back_and_has_no_branch_steps_aside(router: MemoryRouter) -> None:
    old, _ = await rolled_back(router)
    push = await router.pushed(ref=None)
    assert router.last(push) == DeploymentSuperseded(by=old)


async def test_a_release_moves_nothing_and_the_next_push_takes_the_environment(router: MemoryRouter) -> None:
    old, _ = await rolled_back(router)
    await router.pushed()
    await router.tell(PROJECT, say.released())
    await router.reactors.settle()
    assert answers(router) == [url_of(old)]
    push = await router.pushed()
    assert answers(router) == [url_of(push)]


async def test_a_push_from_before_the_release_never_overtakes_what_was_pushed_behind_it(router: MemoryRouter) -> None:
    old, _ = await rolled_back(router)
    slow = await router.requested(trigger="webhook")
    quick = await router.pushed()
    await router.tell(PROJECT, say.released())
    await router.healthy(slow)
    assert router.last(slow) == DeploymentSuperseded(by=quick)
    assert answers(router) == [url_of(old)]


async def test_what_somebody_asks_for_takes_a_held_environment_and_ends_the_hold(router: MemoryRouter) -> None:
    await rolled_back(router)
    asked = await router.live()
    assert answers(router) == [url_of(asked)]
    push = await router.pushed()
    assert answers(router) == [url_of(push)]


async def test_a_promotion_of_what_was_held_back_ends_the_hold(router: MemoryRouter) -> None:
    await rolled_back(router)
    held_back = await router.pushed()
    await router.tell(PROJECT, say.promotion(held_back))
    await router.reactors.settle()
    assert answers(router) == [url_of(held_back)]
    push = await router.pushed()
    assert answers(router) == [url_of(push)]


async def test_domains_go_where_their_environment_goes_and_stay_where_it_is_held(router: MemoryRouter) -> None:
    old = await router.live()
    await router.tell(PROJECT, DomainAssigned(host="shop.example", environment=PRODUCTION))
    await router.live()
    await router.tell(PROJECT, say.rollback(old))
    await router.reactors.settle()
    push = await router.pushed()
    assert router.proxy.servers("shop.example") == [url_of(old)]
    await router.tell(PROJECT, say.promotion(push))
    await router.reactors.settle()
    assert router.proxy.servers("shop.example") == [url_of(push)]


async def test_a_promotion_that_was_not_confirmed_leaves_the_environment_held(router: MemoryRouter) -> None:
    old, replaced = await rolled_back(router)
    router.proxy.outage = timedelta(seconds=33)
    await router.tell(PROJECT, say.promotion(replaced))
    await router.reactors.settle()
    await router.pushed()
    assert answers(router) == [url_of(old)]


async def test_a_rollback_that_was_not_confirmed_holds_nothing(router: MemoryRouter) -> None:
    old = await router.live()
    await router.live()
    router.proxy.outage = timedelta(seconds=33)
    await router.tell(PROJECT, say.rollback(old))
    await router.reactors.settle()
    assert any(isinstance(event, RoutesFailed) for event in router.events(PROJECT))
    push = await router.pushed()
    assert answers(router) == [url_of(push)]


async def test_what_could_not_take_a_held_environment_leaves_it_held(router: MemoryRouter) -> None:
    old, _ = await rolled_back(router)
    asked = await router.requested()
    router.proxy.outage = timedelta(seconds=33)
    await router.healthy(asked)
    assert router.types(asked)[-1] == "deployment.failed.v1"
    await router.pushed()
    assert answers(router) == [url_of(old)]


async def test_a_release_before_a_change_is_taken_back_stays_one(router: MemoryRouter) -> None:
    old, replaced = await rolled_back(router)
    before = router.log.length
    await router.tell(PROJECT, say.rollback(replaced))
    await router.reactors.settle()
    cut = MemoryRouter(deployments=router.deployments)
    cut.log._messages[:] = router.log._messages[: before + 3]  # asked for, claimed, and moved
    cut.proxy.outage = timedelta(seconds=33)
    await cut.tell(PROJECT, say.released())
    async with cut.running():
        await cut.reactors.settle()
        assert answers(cut) == [url_of(old)]
        push = await cut.pushed()
        assert answers(cut) == [url_of(push)]


@dataclass
class Simply:
    """What should answer in production, in the simplest words."""

    live: list[DeploymentId] = field(default_factory=list)
    answers: DeploymentId | None = None
    held: bool = False

    async def does(self, what: str, which: int, router: MemoryRouter) -> None:
        if what == "push" or not self.live:
            self._became_live(await router.pushed(), takes=not self.held)
        elif what == "deploy":
            self._became_live(await router.live(), takes=True)
        elif what == "release":
            await router.tell(PROJECT, say.released())
            self.held = False
        else:
            to = self.live[which % len(self.live)]
            asked = say.rollback(to) if what == "rollback" else say.promotion(to)
            await router.tell(PROJECT, asked)
            await router.reactors.settle()
            if to != self.answers:
                self.answers, self.held = to, what == "rollback"

    def _became_live(self, deployment: DeploymentId, *, takes: bool) -> None:
        self.live.append(deployment)
        if takes:
            self.answers, self.held = deployment, False


_ROLLED_BACK = [("push", 0), ("push", 0), ("rollback", 0)]
_WHAT = st.sampled_from(["push", "push", "deploy", "rollback", "rollback", "promotion", "release"])


@settings(max_examples=25)
@given(st.lists(st.tuples(_WHAT, st.integers(0, 4)), min_size=1, max_size=7))
def test_whatever_is_done_after_a_rollback_production_answers_as_the_rule_says(steps: list[tuple[str, int]]) -> None:
    async def do() -> None:
        simply = Simply()
        async with MemoryRouter().running() as router:
            await router.founded()
            for what, which in (*_ROLLED_BACK, *steps):
                await simply.does(what, which, router)
                expected = None if simply.answers is None else [url_of(simply.answers)]
                assert answers(router) == expected, what
                if simply.live and what == "push":
                    assert answers(router, "shop--git--main") == [url_of(simply.live[-1])]

    asyncio.run(do())
