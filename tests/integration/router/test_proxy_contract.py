"""What every proxy keeps to: Traefik, and the one in memory that stands for it."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from support.memory_proxy import MemoryProxy
from support.memory_router import SITE
from support.traefik import TraefikServer, backend
from windlass_contracts.ids import DeploymentId
from windlass_router.adapters.proxies import Proxies
from windlass_router.application.proxy import NotConfirmedError, Proxy, Rendered
from windlass_router.domain.configuration import MARKER, Target, configuration, router_name

ONE, OTHER = DeploymentId(UUID(int=1)), DeploymentId(UUID(int=2))
LONG, SHORT = timedelta(seconds=60), timedelta(milliseconds=300)
Server = tuple[str, int]


@dataclass
class Bench(ABC):
    """A proxy under test, and a visitor."""

    words: dict[str, str] = field(default_factory=dict)

    @property
    @abstractmethod
    def proxy(self) -> Proxy: ...

    @abstractmethod
    async def ask(self, host: str) -> str:
        """Return the word of the backend that answers, or the status of an error."""

    @abstractmethod
    def away(self) -> AbstractContextManager[None]:
        """Let the proxy do nothing while the block lasts."""


@dataclass
class MemoryBench(Bench):
    memory: MemoryProxy = field(default_factory=MemoryProxy)

    @property
    def proxy(self) -> Proxy:
        return self.memory

    async def ask(self, host: str) -> str:
        servers = self.memory.servers(host)
        if servers is None:
            return "404"
        return self.words[servers[0]] if servers else "503"

    @contextmanager
    def away(self) -> Iterator[None]:
        self.memory.outage = timedelta(hours=1)
        yield
        self.memory.outage = timedelta()


@dataclass
class TraefikBench(Bench):
    real: Proxies = field(kw_only=True)
    server: TraefikServer = field(kw_only=True)
    client: httpx.AsyncClient = field(kw_only=True)

    @property
    def proxy(self) -> Proxy:
        return self.real

    async def ask(self, host: str) -> str:
        answer = await self.client.get(self.server.url, headers={"Host": host})
        return answer.text if answer.status_code == httpx.codes.OK else str(answer.status_code)

    @contextmanager
    def away(self) -> Iterator[None]:
        with self.server.frozen():
            yield


@pytest.fixture(params=["memory", "traefik"])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "memory":
        return MemoryBench()
    real, server = request.getfixturevalue("proxies"), request.getfixturevalue("traefik")
    return TraefikBench(real=real, server=server, client=request.getfixturevalue("client"))


def routes(generation: int, *targets: Target) -> Rendered:
    found = configuration(targets, SITE, f"{generation}-0a1b2c3d")
    return Rendered(found.content, found.mark)


def to(deployment: DeploymentId, host: str, *servers: Server) -> Target:
    return Target(deployment, {host: 1}, servers)


def without_service(rendered: Rendered, deployment: DeploymentId) -> Rendered:
    """Return routes that name a service which does not exist."""
    document = json.loads(rendered.content)
    del document["http"]["services"][router_name(deployment)]
    mark = f"{rendered.mark}-broken"
    document["http"]["middlewares"][MARKER]["headers"]["customResponseHeaders"]["X-Gen"] = mark
    return Rendered(json.dumps(document).encode(), mark)


async def test_what_was_confirmed_is_what_answers(bench: Bench) -> None:
    async with backend("one") as one, backend("other") as other:
        bench.words |= words({"one": one, "other": other})
        for generation in range(1, 7):
            server, word = (one, "one") if generation % 2 else (other, "other")
            assert await bench.proxy.apply(routes(generation, to(ONE, "shop.localhost", server)), LONG) == {}
            assert await bench.ask("shop.localhost") == word


async def test_it_tells_what_it_was_given_last(bench: Bench) -> None:
    rendered = routes(1)
    assert await bench.proxy.handed_over() != rendered.content
    await bench.proxy.apply(rendered, LONG)
    assert await bench.proxy.handed_over() == rendered.content


async def test_giving_it_the_same_again_confirms_it_again(bench: Bench) -> None:
    for _ in range(3):
        assert await bench.proxy.apply(routes(1), LONG) == {}


async def test_hosts_without_a_server_and_unknown_hosts_are_errors_of_their_own(bench: Bench) -> None:
    await bench.proxy.apply(routes(1, to(ONE, "shop.localhost")), LONG)
    assert await bench.ask("shop.localhost") == "503"
    assert await bench.ask("shop--id--0123456789ab.localhost") == "503"
    assert await bench.ask("nobody.localhost") == "404"


async def test_a_deployment_that_is_awake_answers_at_its_own_address(bench: Bench) -> None:
    async with backend("one") as one:
        bench.words |= words({"one": one})
        await bench.proxy.apply(routes(1, to(ONE, "shop--id--0123456789ab.localhost", one)), LONG)
        assert await bench.ask("shop--id--0123456789ab.localhost") == "one"


async def test_a_proxy_that_is_away_confirms_nothing_and_serves_the_latest_once_it_is_back(bench: Bench) -> None:
    async with backend("one") as one, backend("other") as other:
        bench.words |= words({"one": one, "other": other})
        await bench.proxy.apply(routes(1, to(ONE, "shop.localhost", one)), LONG)
        with bench.away(), pytest.raises(NotConfirmedError, match="did not confirm"):
            await bench.proxy.apply(routes(2, to(ONE, "shop.localhost", other)), SHORT)
        await bench.proxy.apply(routes(3, to(ONE, "shop.localhost", other)), LONG)
        assert await bench.ask("shop.localhost") == "other"


async def test_a_broken_route_is_told_by_name_and_harms_no_other(bench: Bench) -> None:
    async with backend("one") as one:
        bench.words |= words({"one": one})
        good = routes(1, to(ONE, "shop.localhost", one), to(OTHER, "blog.localhost", one))
        disabled = await bench.proxy.apply(without_service(good, OTHER), LONG)
        assert set(disabled) == {router_name(OTHER)}
        assert "does not exist" in disabled[router_name(OTHER)]
        assert await bench.ask("shop.localhost") == "one"
        assert await bench.ask("blog.localhost") == "404"


def words(backends: Mapping[str, Server]) -> dict[str, str]:
    return {f"http://{address}:{port}": word for word, (address, port) in backends.items()}
