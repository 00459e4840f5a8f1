"""Traefik as the router uses it: the file it watches, several of them, and visitors who notice nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from integration.router.conftest import asked
from support import router_events as say
from support.memory_router import SITE, MemoryRouter
from support.traefik import TraefikServer, backend, running_traefik
from windlass_contracts.ids import DeploymentId
from windlass_router.adapters.proxies import Proxies
from windlass_router.adapters.routes_file import FILE, RoutesFile
from windlass_router.application.proxy import NotConfirmedError, NotWrittenError, Rendered
from windlass_router.domain.configuration import Target, configuration

LONG, SHORT = timedelta(seconds=60), timedelta(milliseconds=300)
CONNECTIONS, SWAPS = 8, 20


SHOP = {"Host": "shop.localhost"}


def routes(generation: int, *targets: Target) -> Rendered:
    found = configuration(targets, SITE, f"{generation}-0a1b2c3d")
    return Rendered(found.content, found.mark)


async def test_every_traefik_has_to_confirm(proxies: Proxies, folder: Path) -> None:
    with (
        running_traefik(folder, "second") as second,
        closing(Proxies(proxies.file, [*proxies.instances, asked(second, "two")])) as both,
    ):
        assert await both.apply(routes(1), LONG) == {}
        with second.frozen(), pytest.raises(NotConfirmedError, match="on two "):
            await both.apply(routes(2), SHORT)
        await both.apply(routes(3), LONG)


async def test_a_file_that_somebody_damaged_or_removed_is_put_right(proxies: Proxies, folder: Path) -> None:
    rendered = routes(1)
    await proxies.apply(rendered, LONG)
    (folder / FILE).write_text("http: [")
    await proxies.apply(rendered, LONG)
    assert (folder / FILE).read_bytes() == rendered.content
    (folder / FILE).unlink()
    await proxies.apply(rendered, LONG)
    assert (folder / FILE).read_bytes() == rendered.content


async def test_a_file_that_shows_our_mark_with_other_routes_is_not_taken_for_ours(
    proxies: Proxies, folder: Path, client: httpx.AsyncClient, traefik: TraefikServer
) -> None:
    async with backend("one") as one, MemoryRouter(other_proxy=proxies).running() as router:
        await router.founded()
        live = await deployed(router, one)
        foreign = json.loads((folder / FILE).read_bytes())
        foreign["http"]["routers"]["evil"] = {"rule": 'Host("evil.localhost")', "service": "windlass-asleep"}
        (folder / FILE).write_text(json.dumps(foreign))
        await until_status(client, traefik, "evil.localhost", 503)
        await router.tell(live, say.healthy(live))
        await router.reactors.settle()
        assert await status_of(client, traefik, "evil.localhost") == httpx.codes.NOT_FOUND


async def test_nothing_but_whole_files_ever_lies_in_the_watched_folder(proxies: Proxies, folder: Path) -> None:
    await proxies.apply(routes(1), LONG)
    await proxies.apply(routes(2), LONG)
    assert sorted(path.name for path in folder.iterdir()) == [FILE]  # noqa: ASYNC240 - of this test
    assert (folder / FILE).stat().st_mode & 0o077 == 0


async def test_the_last_confirmed_file_is_kept_while_a_later_one_is_not(
    proxies: Proxies, traefik: TraefikServer
) -> None:
    good = routes(1)
    await proxies.apply(good, LONG)
    with traefik.frozen(), pytest.raises(NotConfirmedError):
        await proxies.apply(routes(2), SHORT)
    assert proxies.file.last_good.read_bytes() == good.content


async def test_a_folder_that_is_gone_is_said_with_what_to_do(tmp_path: Path) -> None:
    nowhere = Proxies(RoutesFile(tmp_path / "gone" / "dynamic"), [])
    with pytest.raises(NotWrittenError, match=r"cannot be written to .*gone.*; free the disk, or correct"):
        await nowhere.apply(routes(1), SHORT)


async def test_a_router_that_starts_leaves_a_file_alone_that_says_the_same(
    proxies: Proxies, folder: Path, client: httpx.AsyncClient, traefik: TraefikServer
) -> None:
    async with backend("one") as one, MemoryRouter(other_proxy=proxies).running() as router:
        await router.founded()
        await deployed(router, one)
        before = (folder / FILE).stat()
        again = MemoryRouter(log=router.log, other_proxy=proxies)
        async with again.running():
            await again.publisher.publish(again.log.length, again.now() + LONG)
        assert (folder / FILE).stat().st_ino == before.st_ino
        assert (await client.get(traefik.url, headers={"Host": "shop.localhost"})).text == "one"


async def test_swaps_under_load_lose_no_request_and_show_no_older_version(
    proxies: Proxies, traefik: TraefikServer
) -> None:
    """Each version is gone as soon as its second successor is live, so that a request for it would fail."""
    async with AsyncExitStack() as first, MemoryRouter(other_proxy=proxies).running() as router:
        await router.founded()
        await deployed(router, await first.enter_async_context(backend("1")))
        async with visitors(traefik) as seen:
            stacks = [first]
            for version in range(2, SWAPS + 2):
                stack = AsyncExitStack()
                await deployed(router, await stack.enter_async_context(backend(str(version))))
                await seen.by_all(version)
                stacks.append(stack)
                if len(stacks) > 2:
                    await stacks.pop(0).aclose()
        for stack in stacks:
            await stack.aclose()
    assert seen.failures == []


async def test_a_crash_of_one_of_several_containers_costs_only_what_it_was_sent(
    proxies: Proxies, traefik: TraefikServer, client: httpx.AsyncClient
) -> None:
    async with backend("gone") as gone:
        pass  # nobody listens there any more
    async with backend("well") as well, dying() as (address, sent):
        await proxies.apply(routes(1, Target(say.deployment_number(1), {"shop.localhost": 1}, (gone, well))), LONG)
        for method in ("GET", "POST"):
            answers = [await client.request(method, traefik.url, headers=SHOP, content=b"body") for _ in range(10)]
            assert [answer.text for answer in answers] == ["well"] * 10
        await proxies.apply(routes(2, Target(say.deployment_number(1), {"shop.localhost": 1}, (address, well))), LONG)
        statuses = [(await client.post(traefik.url, headers=SHOP, content=b"body")).status_code for _ in range(10)]
        assert len(sent) == statuses.count(502) > 0


@asynccontextmanager
async def dying() -> AsyncIterator[tuple[tuple[str, int], list[bytes]]]:
    """Yield the address of a server that takes requests and closes their connections, and what it was sent."""
    sent: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    async with await asyncio.start_server(take, "127.0.0.1") as server:
        yield server.sockets[0].getsockname(), sent


async def deployed(router: MemoryRouter, at: tuple[str, int]) -> DeploymentId:
    """Let a version that answers at an address become live."""
    deployment = await router.requested()
    await router.tell(deployment, *say.built(), say.started(deployment, at=at), say.healthy(deployment))
    await router.reactors.settle()
    assert router.types(deployment)[-1] == "deployment.live.v1"
    return deployment


@dataclass
class Seen:
    """What visitors saw; `live` is the version that was said to be live last."""

    live: int = 1
    rounds: int = 0
    failures: list[str] = field(default_factory=list)
    by: set[int] = field(default_factory=set)
    everybody: asyncio.Event = field(default_factory=asyncio.Event)

    async def by_all(self, version: int) -> None:
        """Say that a version is live, and wait until each visitor had an answer to what it asked for since."""
        self.live = version
        self.rounds += 1
        self.by.clear()
        self.everybody.clear()
        async with asyncio.timeout(60):
            await self.everybody.wait()

    @asynccontextmanager
    async def request_of(self, visitor: int) -> AsyncIterator[None]:
        """Make of what goes wrong with a request a failure, and count it as answered."""
        begun = self.rounds
        try:
            yield
        except (httpx.HTTPError, AssertionError) as error:
            self.failures.append(repr(error))
        if begun == self.rounds:
            self.by.add(visitor)
        if len(self.by) == CONNECTIONS:
            self.everybody.set()


@asynccontextmanager
async def visitors(traefik: TraefikServer) -> AsyncIterator[Seen]:
    """Send requests over kept connections, one after the other on each, for as long as the block lasts."""
    seen = Seen()
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    async with httpx.AsyncClient(trust_env=False, limits=limits, timeout=60) as client, asyncio.TaskGroup() as tasks:
        visiting = [tasks.create_task(visit(number, client, traefik, seen)) for number in range(CONNECTIONS)]
        try:
            yield seen
        finally:
            for one in visiting:
                one.cancel()


async def visit(number: int, client: httpx.AsyncClient, traefik: TraefikServer, seen: Seen) -> None:
    while True:
        at_least = seen.live
        async with seen.request_of(number):
            answer = await client.get(traefik.url, headers={"Host": "shop.localhost"})
            assert answer.status_code == httpx.codes.OK, f"{answer.status_code} {answer.text[:80]}"
            assert int(answer.text) >= at_least, f"{answer.text} though {at_least} was live"


async def until_status(client: httpx.AsyncClient, traefik: TraefikServer, host: str, status: int) -> None:
    """Wait until Traefik, which has no signal for it, answers a host with a status."""
    async with asyncio.timeout(60):
        while await status_of(client, traefik, host) != status:  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.01)


async def status_of(client: httpx.AsyncClient, traefik: TraefikServer, host: str) -> int:
    return (await client.get(traefik.url, headers={"Host": host})).status_code
