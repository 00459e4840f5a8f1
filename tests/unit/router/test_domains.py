"""Domains that somebody brought go where their environment goes; the address of a deleted branch goes with time."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import router_events as say
from support.memory_router import MemoryRouter
from support.router_events import PREVIEW, PRODUCTION, PROJECT, url_of
from windlass_contracts.events import AliasesChanged, BranchDeleted, DomainAssigned, DomainRemoved, Failed
from windlass_contracts.ids import DeploymentId, EnvironmentId
from windlass_router.domain.configuration import router_name

HOST = "www.example.com"
GRACE = timedelta(hours=1)
BRANCH = "shop--git--feature.localhost"


@pytest.fixture
async def router() -> AsyncIterator[MemoryRouter]:
    async with MemoryRouter().running() as running:
        await running.founded()
        yield running


async def assign(router: MemoryRouter, environment: EnvironmentId = PRODUCTION, host: str = HOST) -> None:
    await router.tell(PROJECT, DomainAssigned(host=host, environment=environment))
    await router.reactors.settle()


async def delete(router: MemoryRouter, branch: str = "feature") -> None:
    await router.tell(PROJECT, BranchDeleted(branch=branch))
    await router.reactors.settle()


def changes(router: MemoryRouter) -> Sequence[str]:
    return [event.why for event in router.events(PROJECT) if isinstance(event, AliasesChanged)]


async def test_a_domain_of_an_environment_that_answers_is_routed_at_once(router: MemoryRouter) -> None:
    deployment = await router.live()
    await assign(router)
    assert router.proxy.servers(HOST) == [url_of(deployment)]
    assert changes(router) == ["cutover", "domain"]
    assert router.types(PROJECT)[-1] == "routes.applied.v1"


async def test_a_domain_of_an_environment_without_a_deployment_is_routed_by_its_first_cutover(
    router: MemoryRouter,
) -> None:
    await assign(router)
    assert router.proxy.servers(HOST) is None
    deployment = await router.live()
    assert router.proxy.servers(HOST) == [url_of(deployment)]
    assert changes(router) == ["cutover"]


async def test_a_removed_domain_answers_no_more(router: MemoryRouter) -> None:
    deployment = await router.live()
    await assign(router)
    await router.tell(PROJECT, DomainRemoved(host=HOST))
    await router.reactors.settle()
    assert router.proxy.servers(HOST) is None
    assert router.proxy.servers("shop.localhost") == [url_of(deployment)]
    newer = await router.live()
    assert router.proxy.servers(HOST) is None
    assert router.proxy.servers("shop.localhost") == [url_of(newer)]


async def test_a_domain_moves_to_another_environment_as_soon_as_that_answers(router: MemoryRouter) -> None:
    production = await router.live()
    await assign(router)
    await assign(router, PREVIEW)
    assert router.proxy.servers(HOST) == [url_of(production)]
    preview = await router.live(PREVIEW, "feature")
    assert router.proxy.servers(HOST) == [url_of(preview)]
    await assign(router, PRODUCTION)
    assert router.proxy.servers(HOST) == [url_of(production)]
    newer = await router.live()
    assert router.proxy.servers(HOST) == [url_of(newer)]


async def test_a_rollback_takes_the_domains_along(router: MemoryRouter) -> None:
    older = await router.live()
    await assign(router)
    await router.live()
    await router.tell(PROJECT, say.rollback(older))
    await router.reactors.settle()
    assert router.proxy.servers(HOST) == [url_of(older)]


async def test_a_domain_that_came_after_a_rollback_is_not_taken_by_what_was_asked_for_before_it(
    router: MemoryRouter,
) -> None:
    older = await router.live(PREVIEW, "one")
    await router.live(PREVIEW, "two")
    slow = await router.requested(PREVIEW, "three")
    await router.tell(PROJECT, say.rollback(older, PREVIEW))
    await router.reactors.settle()
    await assign(router, PREVIEW)
    await router.healthy(slow)
    assert router.proxy.servers("shop--git--three.localhost") == [url_of(slow)]
    assert router.proxy.servers(HOST) == [url_of(older)]
    assert changes(router)[-1] == "cutover"


async def test_a_push_to_a_held_environment_takes_none_of_its_domains(router: MemoryRouter) -> None:
    older = await router.live()
    await router.live()
    await assign(router)
    await router.tell(PROJECT, say.rollback(older))
    await router.reactors.settle()
    await assign(router, host="later.example.com")
    pushed = await router.requested(trigger="webhook")
    await router.healthy(pushed)
    assert router.proxy.servers("shop--git--main.localhost") == [url_of(pushed)]
    for host in (HOST, "later.example.com"):
        assert router.proxy.servers(host) == [url_of(older)]
    manual = await router.live()
    assert router.proxy.servers(HOST) == [url_of(manual)]


async def test_a_failed_cutover_gives_the_domains_back(router: MemoryRouter) -> None:
    live = await router.live()
    await assign(router)
    broken = await router.requested()
    router.proxy.refuses = [router_name(broken)]
    await router.healthy(broken)
    assert isinstance(router.last(broken), Failed)
    assert router.proxy.servers(HOST) == [url_of(live)]


async def test_two_projects_never_answer_at_one_host_whatever_the_log_says(router: MemoryRouter) -> None:
    """The decider lets none of these through; a log that was tampered with changes nothing for the others."""
    deployment = await router.live()
    for host in ("windlass.localhost", "other.localhost"):
        await router.tell(PROJECT, DomainAssigned(host=host, environment=PRODUCTION))
    await router.reactors.settle()
    assert router.proxy.servers("other.localhost") is None
    assert router.proxy.servers("windlass.localhost") != [url_of(deployment)]


async def test_the_address_of_a_deleted_branch_stays_for_a_while_and_then_goes(router: MemoryRouter) -> None:
    feature = await router.live(PREVIEW, "feature")
    newer = await router.live(PREVIEW, "other")
    await delete(router)
    await router.reactors.advance(GRACE - timedelta(seconds=1))
    assert router.proxy.servers(BRANCH) == [url_of(feature)]
    await router.reactors.advance(timedelta(seconds=2))
    assert router.proxy.servers(BRANCH) is None
    assert changes(router)[-1] == "branch-deleted"
    assert router.types(PROJECT)[-1] == "routes.applied.v1"
    assert router.proxy.servers("shop--preview.localhost") == [url_of(newer)]
    assert router.proxy.servers(f"shop--id--{feature.hex[:12]}.localhost") == []


async def test_nothing_else_about_the_project_waits_for_a_deleted_branch(router: MemoryRouter) -> None:
    await router.live(PREVIEW, "feature")
    await delete(router)
    live = await router.live()
    assert router.proxy.servers("shop.localhost") == [url_of(live)]
    assert router.types(live)[-1] == "deployment.live.v1"


@pytest.mark.parametrize("gets_healthy", [True, False])
async def test_a_branch_that_was_pushed_again_keeps_its_address(router: MemoryRouter, *, gets_healthy: bool) -> None:
    feature = await router.live(PREVIEW, "feature")
    await delete(router)
    again = await router.requested(PREVIEW, "feature")
    if gets_healthy:
        await router.healthy(again)
    await router.reactors.advance(2 * GRACE)
    assert router.proxy.servers(BRANCH) == [url_of(again if gets_healthy else feature)]


async def test_what_was_under_way_when_its_branch_was_deleted_keeps_no_address_for_good(router: MemoryRouter) -> None:
    feature = await router.requested(PREVIEW, "feature")
    await delete(router)
    await router.healthy(feature)
    assert router.proxy.servers(BRANCH) == [url_of(feature)]
    await router.reactors.advance(GRACE)
    assert router.proxy.servers(BRANCH) is None


async def test_a_router_that_was_away_when_the_time_came_gives_the_address_up(router: MemoryRouter) -> None:
    await router.live(PREVIEW, "feature")
    await router.tell(PROJECT, BranchDeleted(branch="feature"))
    later = MemoryRouter(log=router.log, proxy=router.proxy, began=router.began + 2 * GRACE)
    async with later.running():
        await later.reactors.settle()
        assert later.proxy.servers(BRANCH) is None


environments = st.sampled_from([PRODUCTION, PREVIEW])
hosts = st.sampled_from(["a.example", "b.example", "c.d.example"])
said = st.one_of(
    st.builds(DomainAssigned, host=hosts, environment=environments), st.builds(DomainRemoved, host=hosts), environments
)


@settings(max_examples=30)
@given(st.lists(said, max_size=6))
async def test_every_domain_answers_with_its_environment_once_that_was_live(
    story: Sequence[DomainAssigned | DomainRemoved | EnvironmentId],
) -> None:
    async with MemoryRouter().running() as router:
        await router.founded()
        answers: dict[EnvironmentId, DeploymentId] = {}
        wanted: dict[str, EnvironmentId] = {}
        for one in story:
            if isinstance(one, DomainAssigned):
                wanted[one.host] = one.environment
                await router.tell(PROJECT, one)
            elif isinstance(one, DomainRemoved):
                wanted.pop(one.host, None)
                await router.tell(PROJECT, one)
            else:
                answers[one] = await router.live(one)
            await router.reactors.settle()
        for host in ("a.example", "b.example", "c.d.example"):
            environment = wanted.get(host)
            if environment is None:
                assert router.proxy.servers(host) is None
            elif environment in answers:
                assert router.proxy.servers(host) == [url_of(answers[environment])]
