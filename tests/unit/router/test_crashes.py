"""Whatever is asked for in whatever order, and wherever the router is killed: at the end everything is as it should."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import router_events as say
from support.memory_proxy import MemoryProxy
from support.memory_router import MemoryRouter
from support.router_events import PREVIEW, PRODUCTION, PROJECT
from windlass_contracts.cloudevent import Proposed
from windlass_contracts.config import DeploymentConfig, Rollout, RolloutStep
from windlass_contracts.event import Event
from windlass_contracts.events import (
    BranchDeleted,
    CutoverStarted,
    DeploymentCanceled,
    DeploymentLive,
    DeploymentSuperseded,
    DomainAssigned,
    DomainRemoved,
    Failed,
    WeightChanged,
)
from windlass_contracts.events.deployment import Stage
from windlass_contracts.ids import DeploymentId
from windlass_contracts.lifecycle import TRANSITIONS, Phase
from windlass_eventlog.log import Expected
from windlass_eventlog.memory import MemoryLog
from windlass_router.application.ground import Ground, read_ground
from windlass_router.application.projections import DEPLOYMENTS
from windlass_router.domain.aliases import branch_alias, environment_id_alias
from windlass_router.domain.deployment import Deployment

HOSTS = ("www.example.com", "example.org")
STEPPING = 0.4
BY_STEPS = Rollout(steps=(RolloutStep(weight=10, for_s=30), RolloutStep(weight=50, for_s=60)))
ENDS = (DeploymentLive, Failed, DeploymentSuperseded, DeploymentCanceled)


class KilledError(Exception):
    """The router is no more."""


@dataclass(slots=True)
class FragileLog(MemoryLog):
    """Kills who appends: at these counts of appends, before or after the event is in the log."""

    deadly: dict[int, bool] = field(default_factory=dict)
    appended: int = 0

    async def append(self, proposed: Proposed[Event], expected: Expected) -> int:
        if proposed.service != "router":
            return await super(FragileLog, self).append(proposed, expected)
        self.appended += 1
        after = self.deadly.get(self.appended)
        if after is False:
            raise KilledError
        sequence = await super(FragileLog, self).append(proposed, expected)
        if after:
            raise KilledError
        return sequence


@dataclass
class Chaos:
    """A project to which everything happens that can; the router is started again whenever it was killed."""

    log: FragileLog
    random: Random
    proxy: MemoryProxy = field(default_factory=MemoryProxy)

    def __post_init__(self) -> None:
        self.router = MemoryRouter(log=self.log, proxy=self.proxy)
        self.router.reactors.choose = self.random.choice

    async def act(self) -> None:
        """Let the router do what is due; it may die of it."""
        try:
            async with self.router.running():
                await self.router.reactors.settle()
        except KilledError:
            self.restart()

    def restart(self) -> None:
        """Replace the router by one that knows only the log, and is woken up by all of it again."""
        dead = self.router
        self.router = MemoryRouter(log=self.log, proxy=self.proxy, began=dead.now(), deployments=dead.deployments)
        self.router.reactors.choose = self.random.choice

    async def tell(self, deployment: DeploymentId, *events: Event) -> None:
        """Say what may be said of the deployment as it is now."""
        for event in events:
            found = await self.router.rows.get(DEPLOYMENTS, deployment)
            if found is not None and (found.row.phase, type(event)) in TRANSITIONS:
                await self.router.tell(deployment, event)

    async def some(self, *phases: Phase) -> DeploymentId | None:
        found = await self.router.rows.find(DEPLOYMENTS, {"project": PROJECT})
        names = sorted(DeploymentId(one.key) for one in found if not phases or one.row.phase in phases)
        return self.random.choice(names) if names else None

    async def request(self) -> None:
        environment, ref = self.random.choice([(PRODUCTION, "main"), (PREVIEW, "one"), (PREVIEW, "two")])
        config = DeploymentConfig(rollout=BY_STEPS if self.random.random() < STEPPING else None)
        await self.router.requested(environment, ref, config)

    async def weigh(self) -> None:
        if one := await self.some(Phase.LIVE):
            percent, environment = self.random.choice([1, 50, 100]), self.random.choice([PRODUCTION, PREVIEW])
            await self.router.tell(PROJECT, say.weight(one, percent, environment))

    async def stop_or_restore(self) -> None:
        routes = (await self.ground()).routes.row
        for environment, weight in routes.weights.now.items():
            own = (one for one in routes.of_environment(environment) if one.alias.kind == "environment")
            fails = say.restore(weight.deployment, next(own).current.deployment, environment)
            await self.router.tell(PROJECT, self.random.choice([say.rollout_stopped(environment), fails]))

    async def assign(self) -> None:
        host, environment = self.random.choice(HOSTS), self.random.choice([PRODUCTION, PREVIEW])
        await self.router.tell(PROJECT, DomainAssigned(host=host, environment=environment))

    async def remove(self) -> None:
        await self.router.tell(PROJECT, DomainRemoved(host=self.random.choice(HOSTS)))

    async def delete_branch(self) -> None:
        await self.router.tell(PROJECT, BranchDeleted(branch=self.random.choice(["one", "two"]), grace_s=60))

    async def become_healthy(self) -> None:
        if one := await self.some(Phase.REQUESTED):
            await self.tell(one, *say.built(), say.started(one), say.healthy(one))

    async def roll_back(self) -> None:
        if one := await self.some(Phase.LIVE):
            await self.router.tell(PROJECT, self.random.choice([say.rollback, say.promotion])(one))

    async def wake_up(self) -> None:
        if one := await self.some(Phase.LIVE):
            await self.tell(one, say.resumed(one), say.healthy(one))

    async def pause(self) -> None:
        ground = await self.ground()
        one = await self.some(Phase.LIVE)
        if one is not None and one not in ground.routes.row.awake:
            await self.tell(one, say.paused(one))

    async def stop(self) -> None:
        if one := await self.some():
            await self.tell(one, say.stopped(one))

    async def give_up(self) -> None:
        one = await self.some(Phase.HEALTHY, Phase.CUTOVER)
        if one is not None:
            await self.router.abandoned(one)

    async def pass_time(self) -> None:
        self.router.reactors.now += timedelta(seconds=self.random.choice([1, 20, 90]))

    async def lose_the_proxy(self) -> None:
        self.proxy.outage = timedelta(seconds=self.random.choice([1, 20, 90]))

    async def ground(self) -> Ground:
        return await read_ground(self.router.rows, say.TEAM, PROJECT)

    async def calm_down(self) -> None:
        """Bring back what serves, and let every deadline pass, without another kill."""
        self.log.deadly.clear()
        self.proxy.outage = timedelta()
        self.restart()
        for one in (await self.ground()).routes.row.awake:
            await self.tell(one, say.started(one), say.healthy(one))
        async with self.router.running():
            await self.router.reactors.advance(timedelta(minutes=10))


Act = Callable[[Chaos], Awaitable[None]]
STEPS: Sequence[Act] = (
    Chaos.request,
    Chaos.assign,
    Chaos.remove,
    Chaos.delete_branch,
    Chaos.become_healthy,
    Chaos.become_healthy,
    Chaos.roll_back,
    Chaos.wake_up,
    Chaos.pause,
    Chaos.stop,
    Chaos.give_up,
    Chaos.weigh,
    Chaos.stop_or_restore,
    Chaos.pass_time,
    Chaos.lose_the_proxy,
)
WEIGHING = (*STEPS, Chaos.weigh, Chaos.weigh, Chaos.stop_or_restore, Chaos.request, Chaos.become_healthy)
"""Mostly about rollouts."""


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(min_value=0),
    steps=st.lists(st.tuples(st.sampled_from(range(len(STEPS))), st.booleans()), max_size=40),
    deadly=st.dictionaries(st.integers(min_value=1, max_value=40), st.booleans(), max_size=8),
)
def test_no_interleaving_and_no_kill_leaves_anything_undone(
    seed: int, steps: list[tuple[int, bool]], deadly: dict[int, bool]
) -> None:
    chaos = Chaos(FragileLog(deadly=dict(deadly)), Random(seed))  # noqa: S311 - a reproducible choice
    asyncio.run(story(chaos, [(STEPS[step], act) for step, act in steps]))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(min_value=0),
    steps=st.lists(st.tuples(st.sampled_from(range(len(WEIGHING))), st.booleans()), min_size=12, max_size=30),
    deadly=st.dictionaries(st.integers(min_value=8, max_value=50), st.booleans(), max_size=6),
)
def test_no_interleaving_and_no_kill_leaves_a_rollout_undone(
    seed: int, steps: list[tuple[int, bool]], deadly: dict[int, bool]
) -> None:
    chaos = Chaos(FragileLog(deadly=dict(deadly)), Random(seed))  # noqa: S311 - a reproducible choice
    lively = [(step, True) for _ in range(4) for step in (Chaos.request, Chaos.become_healthy)]
    asyncio.run(story(chaos, [*lively, *((WEIGHING[step], act) for step, act in steps)]))


async def story(chaos: Chaos, steps: Sequence[tuple[Act, bool]]) -> None:
    await chaos.router.founded()
    for step, act in steps:
        await step(chaos)
        if act:
            await chaos.act()
    await chaos.calm_down()
    found = await chaos.router.rows.find(DEPLOYMENTS, {"project": PROJECT})
    check(chaos, await chaos.ground(), {DeploymentId(one.key): one.row for one in found})


def check(chaos: Chaos, ground: Ground, deployments: Mapping[DeploymentId, Deployment]) -> None:
    routes = ground.routes.row
    assert routes.requests == {}, "a request has no answer"
    assert routes.unconfirmed is None, "a decision was never confirmed"
    for identity, row in deployments.items():
        assert row.phase not in {Phase.HEALTHY, Phase.CUTOVER}, f"{identity} has no end"
        assert sum(isinstance(event, ENDS) for event in chaos.router.events(identity)) <= 1
    for pointer in routes.pointers.values():
        target = deployments[pointer.current.deployment]
        assert target.phase is Phase.LIVE, f"{pointer.alias.name} points at what never won"
        weight = routes.weights.now.get(pointer.alias.environment) if pointer.alias.environment else None
        expected = dict.fromkeys(urls_of(target), 100)
        if weight is not None and pointer.alias.kind != "branch":
            other = deployments[weight.deployment]
            expected = dict.fromkeys(urls_of(target), 100 - weight.percent)
            expected |= dict.fromkeys(urls_of(other), weight.percent)
        is_whole = pointer.alias.kind == "domain"
        host = pointer.alias.name if is_whole else f"{pointer.alias.name}.localhost"
        assert chaos.proxy.weights(host) == expected
    check_weights(ground, deployments)
    check_order(chaos, ground, deployments)
    check_domains(chaos, ground)
    check_deletions(ground, deployments)


def urls_of(row: Deployment) -> list[str]:
    return [f"http://{address}:{port}" for address, port in row.servers]


def check_weights(ground: Ground, deployments: Mapping[DeploymentId, Deployment]) -> None:
    """Steps went on to their end; what has a weight runs, and another version has its environment."""
    routes = ground.routes.row
    for environment, weight in routes.weights.now.items():
        assert weight.asked, "a step was never followed by the next"
        assert weight.confirmed_at is not None
        assert weight.stop is None
        assert deployments[weight.deployment].phase is Phase.LIVE
        holders = {one.current.deployment for one in routes.of_environment(environment)}
        assert holders
        assert weight.deployment not in holders


def check_domains(chaos: Chaos, ground: Ground) -> None:
    """Each domain answers with its environment, if that does, and one that was removed nowhere."""
    pointers = ground.routes.row.pointers
    for host in HOSTS:
        environment = ground.place.domains.get(host)
        if environment is None:
            assert host not in pointers
            assert chaos.proxy.servers(host) is None
        elif (leading := pointers.get(environment_id_alias("shop", environment).name)) is not None:
            assert pointers[host].current == leading.current
            assert pointers[host].alias.environment == environment


def check_deletions(ground: Ground, deployments: Mapping[DeploymentId, Deployment]) -> None:
    """A branch that was deleted and not pushed again has no address any more."""
    for branch, deletion in ground.routes.row.deleted.items():
        pushed = max((row.requested_sequence for row in deployments.values() if row.branch == branch), default=0)
        if pushed < deletion.sequence:
            assert branch_alias("shop", branch, PREVIEW).name not in ground.routes.row.pointers


def check_order(chaos: Chaos, ground: Ground, deployments: Mapping[DeploymentId, Deployment]) -> None:
    """The environment's own address belongs to the latest of those that won there; a rollout may be stopped before."""
    weighted = {event.environment for event in chaos.router.events(PROJECT) if isinstance(event, WeightChanged)}
    for pointer in ground.routes.row.pointers.values():
        if pointer.alias.kind != "environment" or pointer.alias.environment in weighted:
            continue
        asked = max(pointer.current.asked, deployments[pointer.current.deployment].requested_sequence)
        won = [
            row.requested_sequence
            for row in deployments.values()
            if row.environment == pointer.alias.environment and row.phase is Phase.LIVE
        ]
        assert asked >= max(won, default=0)


@pytest.mark.parametrize("after", [False, True])
async def test_a_cutover_that_is_killed_at_any_step_ends_the_same(*, after: bool) -> None:
    whole = await one_cutover({}, 0)
    for count in range(1, 5):
        cut = await one_cutover({count: after}, 1)
        assert cut == whole


async def one_cutover(deadly: dict[int, bool], kills: int) -> tuple[list[str], list[str]]:
    chaos = Chaos(FragileLog(deadly=deadly), Random(0))  # noqa: S311 - a reproducible choice
    await chaos.router.founded()
    deployment = await chaos.router.requested()
    await chaos.tell(deployment, *say.built(), say.started(deployment), say.healthy(deployment))
    for _ in range(kills + 1):
        await chaos.act()
    assert chaos.proxy.servers("shop.localhost") == [say.url_of(deployment)]
    return chaos.router.types(deployment), chaos.router.types(PROJECT)


GIVEN_UP = Failed(stage=Stage.DEADLINE, code="healthy-abandoned-by-router", reason="The router gave no answer.")


async def test_router_that_comes_back_after_the_gateway_gave_up_moves_nothing() -> None:
    router = MemoryRouter()
    await router.founded()
    deployment = await router.requested()
    await router.tell(deployment, *say.built(), say.started(deployment), say.healthy(deployment), GIVEN_UP)
    end = router.log.length
    async with router.running():
        await router.reactors.settle()

    types = [router.log.at(sequence).event.TYPE for sequence in range(end + 1, router.log.length + 1)]
    assert "deployment.cutover-started.v1" not in types
    assert "routes.aliases-changed.v1" not in types


async def test_router_that_comes_back_in_the_middle_of_a_cutover_that_was_given_up_leads_back_to_what_was_live() -> (
    None
):
    router = MemoryRouter()
    await router.founded()
    async with router.running():
        first = await router.live()
        second = await router.requested()
        await router.tell(second, *say.built(), say.started(second), say.healthy(second))
        await router.tell(second, CutoverStarted(containers=(say.container_of(second),)), GIVEN_UP)
        await router.reactors.settle()

    ground = await read_ground(router.rows, say.TEAM, PROJECT)
    assert {one.current.deployment for one in ground.routes.row.of_environment(PRODUCTION)} == {first}
