"""What goes down with the engine or the machine during its cutover is waited for, and its visitors are looked after."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

import pytest

from support import router_events as say
from support.memory_router import MemoryRouter
from support.router_events import PROJECT, TEAM, url_of
from windlass_contracts.config import DeploymentConfig
from windlass_contracts.event import Event
from windlass_contracts.events import AliasesChanged, ContainerStopped, Failed, RoutesApplied, RoutesFailed
from windlass_contracts.ids import DeploymentId
from windlass_router.application.ground import read_ground
from windlass_router.domain.next_step import next_step
from windlass_router.domain.steps import AppendToRoutes, ConfirmRoutes, Step, WaitUntil

HOST = "shop.localhost"
STEPS = {"cutover.started.v1": 1, "aliases.changed.v1": 2, "routes.applied.v1": 3}
"""What a cutover appends, and how many events that are."""
ALLOWED = timedelta(seconds=120)
LONG = timedelta(hours=1)


@pytest.fixture
async def router() -> AsyncIterator[MemoryRouter]:
    router = MemoryRouter()
    await router.founded()
    async with router.running():
        yield router


async def cut_off(
    router: MemoryRouter, step: str, replicas: int = 1
) -> tuple[MemoryRouter, DeploymentId, DeploymentId]:
    """Return a router that has come as far as a step when it is started again, the old version and the new one."""
    old = await router.live()
    new = await router.requested(config=DeploymentConfig(replicas=replicas))
    started = [say.started(new, replica) for replica in range(replicas)]
    await router.tell(new, *say.built(), *started, *(say.healthy(new, replica) for replica in range(replicas)))
    before = router.log.length
    await router.reactors.settle()
    cut = MemoryRouter(began=router.now())
    cut.log._messages[:] = router.log._messages[: before + STEPS[step]]
    return cut, old, new


async def told(router: MemoryRouter, about: DeploymentId, *events: Event) -> None:
    await router.tell(about, *events)
    await router.reactors.settle()


def compensations(router: MemoryRouter) -> int:
    return sum(isinstance(event, AliasesChanged) and event.why == "compensation" for event in router.events(PROJECT))


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("away", [timedelta(0), LONG])
async def test_it_becomes_live_once_it_is_healthy_again(router: MemoryRouter, step: str, away: timedelta) -> None:
    cut, _, new = await cut_off(router, step)
    cut.reactors.now += away
    await cut.tell(new, say.went_down(new))
    async with cut.running():
        await cut.reactors.settle()
        await told(cut, new, say.started(new))
        assert cut.types(new)[-1] == "container.started.v1"
        await cut.reactors.advance(ALLOWED - timedelta(seconds=1))
        await told(cut, new, say.healthy(new))
    assert cut.types(new)[-1] == "deployment.live.v1"
    assert cut.proxy.servers(HOST) == [url_of(new)]
    assert compensations(cut) == 0


@pytest.mark.parametrize("step", ["aliases.changed.v1", "routes.applied.v1"])
async def test_visitors_get_the_old_version_until_then_and_the_new_one_is_confirmed_anew(
    router: MemoryRouter, step: str
) -> None:
    cut, old, new = await cut_off(router, step)
    await cut.tell(new, say.went_down(new))
    async with cut.running():
        await cut.reactors.settle()
        assert cut.proxy.servers(HOST) == [url_of(old)]
        await told(cut, new, say.started(new))
        assert cut.proxy.servers(HOST) == [url_of(old)]
        await cut.tell(new, say.healthy(new))
        healthy = cut.log.length
        await cut.reactors.settle()
    applied = [event for event in cut.events(PROJECT) if isinstance(event, RoutesApplied)]
    assert applied[-1].generation >= healthy


@pytest.mark.parametrize("step", STEPS)
async def test_it_fails_when_it_is_not_healthy_again_in_time(router: MemoryRouter, step: str) -> None:
    cut, old, new = await cut_off(router, step)
    cut.reactors.now += LONG
    await cut.tell(new, say.went_down(new))
    async with cut.running():
        await cut.reactors.settle()
        await told(cut, new, say.started(new))
        await cut.reactors.advance(ALLOWED - timedelta(seconds=1))
        assert cut.types(new)[-1] == "container.started.v1"
        await told(cut, new, say.went_down(new), say.started(new))  # which gives it no more time
        await cut.reactors.advance(timedelta(seconds=1))
    failed = cut.last(new)
    assert isinstance(failed, Failed)
    assert failed.code == "containers-lost"
    assert "within 120 s" in failed.reason
    assert cut.proxy.servers(HOST) in ([url_of(old)], None)  # nothing was written where no address had moved
    assert compensations(cut) == (step != "cutover.started.v1")


@pytest.mark.parametrize("end", [say.stopped, lambda one: _ended(one, 137, out_of_memory=True)])
async def test_it_fails_at_once_where_the_app_ended_by_itself_after_that(router: MemoryRouter, end: object) -> None:
    cut, old, new = await cut_off(router, "aliases.changed.v1")
    await cut.tell(new, say.went_down(new))
    async with cut.running():
        await cut.reactors.settle()
        assert callable(end)
        await told(cut, new, say.started(new), end(new))
    failed = cut.last(new)
    assert isinstance(failed, Failed)
    assert failed.code == "containers-lost"
    assert cut.proxy.servers(HOST) == [url_of(old)]


async def test_one_of_several_that_is_healthy_again_is_enough(router: MemoryRouter) -> None:
    cut, old, new = await cut_off(router, "aliases.changed.v1", replicas=2)
    await cut.tell(new, say.went_down(new), say.went_down(new, 1))
    async with cut.running():
        await cut.reactors.settle()
        assert cut.proxy.servers(HOST) == [url_of(old)]
        await told(cut, new, say.started(new), say.started(new, 1), say.healthy(new, 1))
        assert cut.types(new)[-1] == "deployment.live.v1"
        assert cut.proxy.servers(HOST) == [url_of(new, 1)]


async def test_one_of_several_that_went_down_keeps_nobody_waiting(router: MemoryRouter) -> None:
    cut, _, new = await cut_off(router, "aliases.changed.v1", replicas=2)
    await cut.tell(new, say.went_down(new))
    async with cut.running():
        await cut.reactors.settle()
    assert cut.types(new)[-1] == "deployment.live.v1"


@pytest.mark.parametrize("step", ["aliases.changed.v1", "routes.applied.v1"])
async def test_a_rollback_meanwhile_is_answered_at_once_and_ends_it(router: MemoryRouter, step: str) -> None:
    cut, old, new = await cut_off(router, step)
    await cut.tell(new, say.went_down(new))
    async with cut.running():
        await cut.reactors.settle()
        await cut.tell(PROJECT, say.rollback(old))
        await cut.reactors.settle()
    failed, answer = cut.last(new), cut.last(PROJECT)
    assert isinstance(failed, Failed)
    assert failed.code == "outrun"
    assert isinstance(answer, RoutesFailed)
    assert answer.code == "nothing-to-do"  # the addresses went back by then
    assert cut.proxy.servers(HOST) == [url_of(old)]


async def test_a_rollback_before_it_has_addresses_takes_them(router: MemoryRouter) -> None:
    oldest = await router.live()
    cut, _, new = await cut_off(router, "cutover.started.v1")
    await cut.tell(new, say.went_down(new))
    async with cut.running():
        await cut.reactors.settle()
        await cut.tell(PROJECT, say.rollback(oldest))
        await cut.reactors.settle()
        assert cut.proxy.servers(HOST) == [url_of(oldest)]
        assert cut.types(new)[-1] == "container.stopped.v1"  # it still has its branch's address to get
        await told(cut, new, say.started(new), say.healthy(new))
    assert cut.types(new)[-1] == "deployment.live.v1"
    assert cut.proxy.servers(HOST) == [url_of(oldest)]


async def test_what_the_proxies_said_while_it_was_down_is_no_refusal(router: MemoryRouter) -> None:
    cut, _, new = await cut_off(router, "aliases.changed.v1")
    decided = cut.log.length
    await cut.tell(new, say.went_down(new))
    assert await step_of(cut, {decided: "no"}) == WaitUntil(
        cut.now() + ALLOWED, "its containers went down during the cutover, and start again", alone=True
    )
    await cut.tell(new, say.started(new), say.healthy(new))
    again = await step_of(cut, {decided: "no"})
    assert again == ConfirmRoutes(cut.log.length, cut.now(), cut.now() + timedelta(seconds=30))
    refused = await step_of(cut, {decided: "no", cut.log.length: "no"})
    assert isinstance(refused, AppendToRoutes)
    assert isinstance(refused.event, AliasesChanged)
    assert refused.event.why == "compensation"


async def step_of(router: MemoryRouter, refusals: Mapping[int, str]) -> Step:
    await router.rows.reached(router.log.length)
    ground = await read_ground(router.rows, TEAM, PROJECT)
    return next_step(ground.situation(router.now(), refusals))


async def test_before_its_cutover_it_has_all_of_its_time_again(router: MemoryRouter) -> None:
    new = await router.requested(config=DeploymentConfig(replicas=2))
    await router.tell(new, *say.built(), say.started(new), say.started(new, 1), say.healthy(new))
    await router.reactors.settle()
    router.reactors.now += LONG
    await told(router, new, say.went_down(new), say.went_down(new, 1), say.started(new), say.started(new, 1))
    await router.reactors.advance(ALLOWED - timedelta(seconds=1))
    await told(router, new, say.healthy(new), say.healthy(new, 1))
    assert router.types(new)[-1] == "deployment.live.v1"


def _ended(one: DeploymentId, code: int, *, out_of_memory: bool = False) -> Event:
    why = "out-of-memory" if out_of_memory else "exited"
    container = say.container_of(one)
    return ContainerStopped(node="one", container=container, why=why, exit_code=code, out_of_memory=out_of_memory)


@pytest.mark.parametrize("why", ["missing", "removed", "cut-off", "unseen"])
def test_what_is_not_there_any_more_is_not_the_apps_doing(why: str) -> None:
    assert ContainerStopped(node="one", container="shop-1", why=why).from_outside


@pytest.mark.parametrize(("code", "outside"), [(0, False), (1, False), (137, True), (139, False), (143, True)])
def test_what_was_killed_is_not_the_apps_doing(code: int, outside: bool) -> None:  # noqa: FBT001 - a value of the table
    assert ContainerStopped(node="one", container="shop-1", why="exited", exit_code=code).from_outside is outside
