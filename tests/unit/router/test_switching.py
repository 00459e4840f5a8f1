"""The router over a log in memory: who answers where, whatever happens in between."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from support.memory_proxy import MemoryProxy
from windlass_contracts.cloudevent import Metadata, Proposed
from windlass_contracts.config import DeploymentConfig, Limits
from windlass_contracts.event import Event
from windlass_contracts.events import (
    BuildStarted,
    BuildSucceeded,
    ContainerPaused,
    ContainerResumed,
    ContainerStarted,
    ContainerStopped,
    DeploymentRequested,
    EnvironmentCreated,
    Healthy,
    ProjectCreated,
    RollbackRequested,
)
from windlass_contracts.events.deployment import GitSource, Recipe
from windlass_contracts.ids import DeploymentId, EnvironmentId, EventId, ProjectId, TeamId
from windlass_contracts.subjects import AggregateKey, Service
from windlass_eventlog.appender import Appender
from windlass_eventlog.log import Expected
from windlass_eventlog.memory.log import MemoryLog
from windlass_eventlog.memory.reactors import MemoryReactors
from windlass_eventlog.memory.rows import MemoryRows
from windlass_eventlog.reactor import Reactor
from windlass_router.application.cutovers import Cutovers
from windlass_router.application.projections import DEPLOYMENTS, PLACES, ROUTES
from windlass_router.application.publisher import Publisher
from windlass_router.application.reactions import reactors_of
from windlass_router.application.returns import Returns
from windlass_router.application.serving import Serving
from windlass_router.application.switching import Switching
from windlass_router.domain.configuration import OwnHost

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TEAM, PROJECT, PRODUCTION = TeamId(uuid4()), ProjectId(uuid4()), EnvironmentId(uuid4())


class World:
    """A project named `shop`, the router, and a proxy; everybody else's events are told."""

    def __init__(self) -> None:
        self.log = MemoryLog()
        self.proxy = MemoryProxy()
        self.rows = MemoryRows(self.log, [PLACES, DEPLOYMENTS, ROUTES])
        self.publisher = Publisher(self.rows, self.proxy, OwnHost("windlass.localhost", 4000), "localhost", "/marker")
        append = Appender(self.log, Service.ROUTER, lambda: NOON + self.reactors.now)
        switching = Switching(append, self.rows, self.publisher, lambda: NOON + self.reactors.now)
        self.reactors = MemoryReactors(self.log, self.rows, self._reactors(switching))

    def _reactors(self, switching: Switching) -> Sequence[Reactor]:
        return reactors_of(Cutovers(switching), Returns(switching), Serving(self.rows, self.publisher))

    async def tell(self, about: UUID, *events: Event) -> None:
        for event in events:
            key = AggregateKey(TEAM, PROJECT, event.AGGREGATE, about)
            identity = EventId(uuid4())
            metadata = Metadata(identity, NOON + self.reactors.now, "token:test", identity)
            (service, *_) = sorted(event.APPENDED_BY)
            last = max((at for at in range(1, self.log.length + 1) if self.log.at(at).key == key), default=0)
            await self.log.append(Proposed(service, key, event, metadata), Expected.at(key, last))

    async def founded(self) -> "World":
        await self.tell(PROJECT, ProjectCreated(slug="shop", name="Shop", config=DeploymentConfig()))
        await self.tell(PROJECT, EnvironmentCreated(environment=PRODUCTION, name="production", production=True))
        return self

    async def requested(self) -> DeploymentId:
        identity = DeploymentId(uuid4())
        source = GitSource(repository="https://git.example/shop", ref="main")
        event = DeploymentRequested(environment=PRODUCTION, source=source, trigger="api", config=DeploymentConfig())
        await self.tell(identity, event)
        return identity

    async def healthy(self, deployment: DeploymentId, address: str) -> None:
        """Take a requested deployment as far as the router's turn, and let the router do what is due."""
        recipe = Recipe(runner="python", start_command="./run")
        built = BuildSucceeded(
            node="one", release="shop:1", digest=f"sha256:{'0' * 64}", recipe=recipe, cache_hit=False, duration_ms=1
        )
        started = ContainerStarted(
            node="one",
            container=f"c-{deployment.hex}",
            replica=0,
            address=address,
            port=8000,
            limits=Limits(),
            runtime="docker",
            duration_ms=1,
        )
        await self.tell(deployment, BuildStarted(node="one", attempt=1), built, started, self.answer(deployment))
        await self.reactors.settle()

    async def live(self, address: str) -> DeploymentId:
        deployment = await self.requested()
        await self.healthy(deployment, address)
        return deployment

    @staticmethod
    def answer(deployment: DeploymentId) -> Healthy:
        return Healthy(container=f"c-{deployment.hex}", probe="http", status=200, tries=1, duration_ms=1)

    def types(self, about: UUID) -> list[str]:
        events = [self.log.at(sequence) for sequence in range(1, self.log.length + 1)]
        return [event.event.TYPE for event in events if event.key.id == about]


async def test_a_healthy_deployment_takes_its_addresses_and_is_live_once_they_are_confirmed() -> None:
    world = await World().founded()
    deployment = await world.live("10.0.0.2")
    assert world.types(deployment)[-2:] == ["cutover.started.v1", "deployment.live.v1"]
    assert world.types(PROJECT)[-2:] == ["aliases.changed.v1", "routes.applied.v1"]
    for host in ("shop.localhost", "shop--git--main.localhost", f"shop--id--{deployment.hex[:12]}.localhost"):
        assert world.proxy.servers(host) == ["http://10.0.0.2:8000"]


async def test_the_latest_request_wins_though_an_earlier_one_is_healthy_later() -> None:
    world = await World().founded()
    older, newer = await world.requested(), await world.requested()
    await world.healthy(newer, "10.0.0.3")
    await world.healthy(older, "10.0.0.2")
    assert world.types(older)[-1] == "deployment.superseded.v1"
    assert world.proxy.servers("shop.localhost") == ["http://10.0.0.3:8000"]


async def test_a_replaced_version_gets_no_request_at_its_own_address_either() -> None:
    world = await World().founded()
    old = await world.live("10.0.0.2")
    await world.live("10.0.0.3")
    assert world.proxy.servers(f"shop--id--{old.hex[:12]}.localhost") == []


async def test_routes_that_nobody_confirms_are_taken_back_and_the_deployment_fails() -> None:
    world = await World().founded()
    old = await world.live("10.0.0.2")
    world.proxy.down = True
    new = await world.live("10.0.0.3")
    assert world.types(new)[-1] == "deployment.failed.v1"
    assert world.proxy.servers("shop.localhost") == ["http://10.0.0.2:8000"]
    world.proxy.down = False
    await world.reactors.advance(timedelta(seconds=5))
    assert world.proxy.servers("shop.localhost") == ["http://10.0.0.2:8000"]
    assert world.proxy.servers(f"shop--id--{new.hex[:12]}.localhost") is None
    assert world.types(PROJECT)[-1] == "routes.applied.v1"
    assert world.types(old)[-1] == "deployment.live.v1"


async def test_a_rollback_waits_until_the_old_version_was_seen_healthy_again() -> None:
    world = await World().founded()
    old = await world.live("10.0.0.2")
    new = await world.live("10.0.0.3")
    await world.tell(old, ContainerPaused(node="one", container=f"c-{old.hex}"))
    await world.tell(PROJECT, RollbackRequested(environment=PRODUCTION, alias="shop", before=new, to=old))
    await world.reactors.settle()
    assert world.proxy.servers("shop.localhost") == ["http://10.0.0.3:8000"]
    await world.tell(old, ContainerResumed(node="one", container=f"c-{old.hex}"), world.answer(old))
    await world.reactors.settle()
    assert world.proxy.servers("shop.localhost") == ["http://10.0.0.2:8000"]
    assert world.types(PROJECT)[-2:] == ["aliases.changed.v1", "routes.applied.v1"]


async def test_a_rollback_to_what_does_not_come_back_is_given_up_with_a_reason() -> None:
    world = await World().founded()
    old = await world.live("10.0.0.2")
    new = await world.live("10.0.0.3")
    await world.tell(old, ContainerStopped(node="one", container=f"c-{old.hex}", why="retired"))
    await world.tell(PROJECT, RollbackRequested(environment=PRODUCTION, alias="shop", before=new, to=old))
    await world.reactors.advance(timedelta(minutes=5))
    assert world.types(PROJECT)[-1] == "routes.failed.v1"
    assert world.proxy.servers("shop.localhost") == ["http://10.0.0.3:8000"]


async def test_a_container_that_is_gone_gets_no_request_until_it_answers_again() -> None:
    world = await World().founded()
    live = await world.live("10.0.0.2")
    gone = ContainerStopped(node="one", container=f"c-{live.hex}", why="exited", exit_code=1)
    await world.tell(live, gone)
    await world.reactors.settle()
    assert world.proxy.servers("shop.localhost") == []


async def test_whatever_is_delivered_twice_changes_nothing() -> None:
    world = await World().founded()
    await world.live("10.0.0.2")
    before = world.log.length
    for sequence in range(1, before + 1):
        world.reactors.deliver_again(sequence)
    await world.reactors.settle()
    assert world.log.length == before


async def test_a_cutover_that_a_crash_cut_short_is_taken_up_where_it_was() -> None:
    world = await World().founded()
    deployment = await world.requested()
    await world.healthy(deployment, "10.0.0.2")
    expected = world.types(deployment)
    for length in range(world.log.length):
        again = World()
        again.log._messages[:] = world.log._messages[: length + 1]
        await again.reactors.settle()
        if "health.passed.v1" in again.types(deployment):
            assert again.types(deployment) == expected
            assert again.types(PROJECT) == world.types(PROJECT)
            assert again.proxy.servers("shop.localhost") == ["http://10.0.0.2:8000"]
