"""Publishing: changes go out together, each caller waits for its own, and nobody waits for another's trouble."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from support import router_events as say
from support.memory_proxy import MemoryProxy
from support.memory_router import MemoryRouter
from windlass_eventlog.errors import RowsUnavailableError
from windlass_eventlog.reactor import WakeUp
from windlass_router.application.proxy import NotConfirmedError, NotWrittenError, ProxyError, Rendered

PATIENCE = timedelta(seconds=30)


@dataclass
class HeldProxy(MemoryProxy):
    """Confirms nothing before it is let go, and fails first as often as it is told to."""

    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    fails: list[ProxyError | RowsUnavailableError] = field(default_factory=list)

    async def apply(self, rendered: Rendered, within: timedelta) -> Mapping[str, str]:
        self.arrived.set()
        await self.released.wait()
        if self.fails:
            raise self.fails.pop()
        return await super().apply(rendered, within)


@pytest.fixture
def proxy() -> HeldProxy:
    return HeldProxy()


@pytest.fixture
async def router(proxy: HeldProxy) -> AsyncIterator[MemoryRouter]:
    proxy.released.set()
    async with MemoryRouter(proxy=proxy).running() as running:
        await running.founded()
        await running.live()
        proxy.released.clear()
        proxy.arrived.clear()
        yield running


async def changed(router: MemoryRouter) -> int:
    """Let a container stop or start, and return the sequence."""
    first = say.deployment_number(1)
    found = [event for event in router.events(first) if event.TYPE in {"container.stopped.v1", "container.started.v1"}]
    stopped = found[-1].TYPE == "container.stopped.v1"
    await router.tell(first, *([say.started(first), say.healthy(first)] if stopped else [say.stopped(first)]))
    return router.log.length


async def published(router: MemoryRouter) -> "asyncio.Task[int]":
    """Publish a change, and return the task that waits for it."""
    at_least = await changed(router)

    async def publish() -> int:
        return (await router.publisher.publish(at_least, router.now() + PATIENCE)).generation

    return asyncio.create_task(publish())


async def test_changes_that_come_while_one_is_confirmed_go_out_together(router: MemoryRouter, proxy: HeldProxy) -> None:
    before = len(proxy.marks)
    first = await published(router)
    await proxy.arrived.wait()
    others = [await published(router) for _ in range(5)]
    await asyncio.sleep(0)
    proxy.released.set()
    assert await first < min(await asyncio.gather(*others))
    assert len(proxy.marks) == before + 2


async def test_a_generation_contains_what_was_waited_for(router: MemoryRouter, proxy: HeldProxy) -> None:
    proxy.released.set()
    at_least = await changed(router)
    assert (await router.publisher.publish(at_least, router.now() + PATIENCE)).generation >= at_least


async def test_a_caller_waits_only_as_long_as_it_wants_to(router: MemoryRouter, proxy: HeldProxy) -> None:
    proxy.released.set()
    proxy.outage = timedelta(seconds=10)
    at_least = await changed(router)
    patient = asyncio.create_task(router.publisher.publish(at_least, router.now() + PATIENCE))
    hasty = asyncio.create_task(router.publisher.publish(at_least, router.now() + timedelta(seconds=3)))
    with pytest.raises(NotConfirmedError, match="within 3 s"):
        await hasty
    assert (await patient).generation >= at_least


@pytest.mark.parametrize("error", [NotWrittenError("the disk is full"), RowsUnavailableError("no database")])
async def test_what_fails_is_told_to_those_who_wait_and_forgotten(
    router: MemoryRouter, proxy: HeldProxy, error: ProxyError | RowsUnavailableError
) -> None:
    proxy.released.set()
    proxy.fails = [error]
    with pytest.raises(type(error)):
        await (await published(router))
    assert await (await published(router)) > 0


async def test_what_is_served_already_is_answered_at_once(router: MemoryRouter) -> None:
    served = await router.publisher.publish(1, router.now())
    assert served.generation >= 1


async def test_two_wake_ups_of_one_project_do_not_get_in_each_others_way(
    router: MemoryRouter, proxy: HeldProxy
) -> None:
    wakes = []
    for _ in range(2):
        deployment = await router.requested()
        await router.tell(deployment, *say.built(), say.started(deployment), say.healthy(deployment))
        wakes.append(WakeUp(router.log.at(router.log.length), 1))
    switch = router.reactors.reactors[0]
    handled = [asyncio.ensure_future(switch.handle(wake)) for wake in wakes]
    await proxy.arrived.wait()
    proxy.released.set()
    await asyncio.gather(*handled)
    assert router.types(say.deployment_number(3))[-1] == "deployment.live.v1"
    assert router.types(say.deployment_number(2))[-1] == "deployment.superseded.v1"
