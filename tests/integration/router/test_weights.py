"""Weights as the real Traefik takes them: the share of the requests, and no request lost whatever changes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from support import router_events as say
from support.memory_router import MemoryRouter
from support.router_events import PROJECT
from support.traefik import TraefikServer, backend
from windlass_contracts.ids import DeploymentId
from windlass_router.adapters.proxies import Proxies

CONNECTIONS, COUNTED, BY_CHANCE = 8, 400, 0.02


@dataclass
class Visits:
    """Who answered how often what was asked since somebody last wanted to know, and what went wrong."""

    rounds: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    enough: asyncio.Event = field(default_factory=asyncio.Event)

    async def share(self, of: str) -> float:
        """Return which part of some hundred requests from now on a version answers."""
        self.rounds += 1
        self.answers.clear()
        self.enough.clear()
        await self.enough.wait()
        return self.answers[of] / self.answers.total()


@asynccontextmanager
async def visited(traefik: TraefikServer) -> AsyncIterator[Visits]:
    """Send requests over kept connections, one after the other on each, for as long as the block lasts."""
    visits = Visits()
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    async with httpx.AsyncClient(trust_env=False, limits=limits, timeout=60) as client, asyncio.TaskGroup() as tasks:
        visiting = [tasks.create_task(visit(client, traefik.url, visits)) for _ in range(CONNECTIONS)]
        try:
            yield visits
        finally:
            for one in visiting:
                one.cancel()


async def visit(client: httpx.AsyncClient, url: str, visits: Visits) -> None:
    while True:
        begun = visits.rounds
        try:
            answer = await client.get(url, headers={"Host": "shop.localhost"})
        except httpx.HTTPError as error:
            visits.failures.append(repr(error))
            continue
        visits.answers[answer.text] += begun == visits.rounds  # others may have been sent by the weights before
        if answer.status_code != httpx.codes.OK:
            visits.failures.append(f"{answer.status_code} {answer.text[:80]}")
        if visits.answers.total() >= COUNTED:
            visits.enough.set()


async def live(router: MemoryRouter, at: tuple[str, int]) -> DeploymentId:
    deployment = await router.requested(say.PREVIEW if router.deployments else say.PRODUCTION)
    await router.tell(deployment, *say.built(), say.started(deployment, at=at), say.healthy(deployment))
    await router.reactors.settle()
    return deployment


async def test_a_version_gets_the_part_of_the_requests_that_was_asked_for_and_none_is_lost_when_that_changes(
    proxies: Proxies, traefik: TraefikServer
) -> None:
    async with (
        backend("old") as old_at,
        backend("new") as new_at,
        MemoryRouter(other_proxy=proxies).running() as router,
    ):
        await router.founded()
        await live(router, old_at)
        new = await live(router, new_at)
        async with visited(traefik) as visits:
            for percent in (10, 50, 1, 100):
                await router.tell(PROJECT, say.weight(new, percent))
                await router.reactors.settle()
                assert abs(await visits.share("new") - percent / 100) <= BY_CHANCE
    assert not visits.failures


async def test_what_loses_its_containers_while_it_has_a_weight_costs_no_request_from_then_on(
    proxies: Proxies, traefik: TraefikServer
) -> None:
    async with (
        backend("old") as old_at,
        backend("new") as new_at,
        MemoryRouter(other_proxy=proxies).running() as router,
    ):
        await router.founded()
        await live(router, old_at)
        new = await live(router, new_at)
        await router.tell(PROJECT, say.weight(new, 50))
        await router.reactors.settle()
        await router.tell(new, say.stopped(new))
        await router.reactors.settle()
        async with visited(traefik) as visits:
            assert await visits.share("new") == 0
    assert not visits.failures
