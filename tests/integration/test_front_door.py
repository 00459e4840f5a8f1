"""Visitors of the public port while its proxy is away, or has not read its routes yet."""

import asyncio
import json
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.traefik import backend
from windlass.up.errors import PortError
from windlass.up.front_door import FrontDoor, front_door
from windlass.up.home import Home
from windlass.up.ports import LOOPBACK
from windlass.up.traefik import Traefik

ROUTES = 400
VISITORS = 8
A_WHILE_S = 0.2
FOR_EVER_S = 60.0


@pytest.fixture
def door(port: int) -> Iterator[FrontDoor]:
    with front_door(LOOPBACK, port) as door:
        yield door


@pytest.fixture
def port(free_port: Callable[[], int]) -> int:
    return free_port()


@asynccontextmanager
async def greeter(port: int) -> AsyncIterator[None]:
    """Stand where the proxy would, and greet."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\n")
        writer.close()

    async with await asyncio.start_server(greet, LOOPBACK, port, reuse_port=True):
        yield


async def greeted(port: int) -> bytes:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        return await reader.readline()
    finally:
        writer.close()


async def test_who_comes_before_the_door_opens_waits_and_is_let_in(door: FrontDoor, port: int) -> None:
    visitor = asyncio.create_task(greeted(port))
    async with greeter(port):
        await asyncio.wait([visitor], timeout=A_WHILE_S)
        waited = not visitor.done()
        door.open()

        assert await asyncio.wait_for(visitor, FOR_EVER_S) == b"hello\n"
    assert waited


async def test_the_door_shuts_by_itself_when_the_proxy_goes_and_opens_again_with_the_next(
    door: FrontDoor, port: int
) -> None:
    door.open()
    async with greeter(port):
        assert await greeted(port) == b"hello\n"
    visitor = asyncio.create_task(greeted(port))
    await asyncio.wait([visitor], timeout=A_WHILE_S)
    assert not visitor.done()

    async with greeter(port):
        assert await asyncio.wait_for(visitor, FOR_EVER_S) == b"hello\n"


def test_a_port_that_somebody_took_meanwhile_is_refused_with_a_sentence() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(PortError, match=f"{LOOPBACK}:{port} cannot be listened on: Address"):
            front_door(LOOPBACK, port).__enter__()


@dataclass
class Crowd:
    """Visitors of all routes, each with a new connection for each request."""

    port: int
    answered: int = 0
    waited_s: float = 0.0
    _answer: asyncio.Condition = field(default_factory=asyncio.Condition)
    failures: list[str] = field(default_factory=list)
    cut_off: list[tuple[float, float]] = field(default_factory=list)
    """From when to when the connections were there that broke."""

    @asynccontextmanager
    async def visiting(self) -> AsyncIterator[None]:
        ending = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for number in range(VISITORS):
                group.create_task(self._visit(number, ending))
            yield
            ending.set()

    async def are_answered_again(self) -> None:
        """Wait until as many answers came as there are visitors, and more."""
        before = self.answered
        async with self._answer:
            await self._answer.wait_for(lambda: self.answered > before + VISITORS)

    async def _visit(self, number: int, ending: asyncio.Event) -> None:
        while not ending.is_set():
            number = (number + VISITORS) % ROUTES
            began = time.monotonic()
            try:
                status = await asyncio.wait_for(self._status(f"app-{number}.localhost"), FOR_EVER_S)
            except ConnectionRefusedError as error:
                self.failures.append(repr(error))
            except (ConnectionError, asyncio.IncompleteReadError):
                self.cut_off.append((began, time.monotonic()))
            else:
                if status != b"HTTP/1.1 200 OK\r\n":
                    self.failures.append(repr(status))
                self.waited_s = max(self.waited_s, time.monotonic() - began)
                await self._count()

    async def _count(self) -> None:
        async with self._answer:
            self.answered += 1
            self._answer.notify_all()

    async def _status(self, host: str) -> bytes:
        reader, writer = await asyncio.open_connection(LOOPBACK, self.port)
        try:
            writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            return await reader.readuntil(b"\n")
        finally:
            writer.close()


def routes_to(address: str, traefik: Traefik) -> str:
    document = traefik.base_document()
    document["http"]["routers"] |= {
        f"app-{number}": {"rule": f'Host("app-{number}.localhost")', "service": "app"} for number in range(ROUTES)
    }
    document["http"]["services"] = {"app": {"loadBalancer": {"servers": [{"url": address}]}}}
    return json.dumps(document)


async def test_a_killed_proxy_with_hundreds_of_routes_fails_nobody_that_it_was_not_answering(
    door: FrontDoor, port: int, free_port: Callable[[], int], tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    home.prepare()
    traefik, crowd = Traefik(home, LOOPBACK, port, free_port(), "/secret"), Crowd(port)
    with (tmp_path / "inherited").open("w") as inherited:
        async with backend("hello") as (host, backend_port):
            (home.routes / "000-routes.yml").write_text(routes_to(f"http://{host}:{backend_port}", traefik))
            async with crowd.visiting():  # before it is started for the first time, too
                process = await traefik.launch(inherited.fileno(), door)
                deaths: list[tuple[float, float]] = []
                for _ in range(2):
                    await asyncio.wait_for(crowd.are_answered_again(), FOR_EVER_S)
                    killed = time.monotonic()
                    process.send(signal.SIGKILL)
                    await process.exit()
                    deaths.append((killed, time.monotonic()))
                    process = await traefik.launch(inherited.fileno(), door)
                await asyncio.wait_for(crowd.are_answered_again(), FOR_EVER_S)
            process.send(signal.SIGKILL)
            await process.exit()

    assert not crowd.failures
    for began, ended in crowd.cut_off:
        assert any(began <= dead and killed <= ended for killed, dead in deaths)
    assert crowd.waited_s > A_WHILE_S


async def test_a_proxy_that_finds_its_routes_damaged_begins_with_the_last_good_ones(
    door: FrontDoor, port: int, free_port: Callable[[], int], tmp_path: Path
) -> None:
    home, crowd = Home(tmp_path / "home"), Crowd(port)
    home.prepare()
    traefik = Traefik(home, LOOPBACK, port, free_port(), "/secret")
    with (tmp_path / "inherited").open("w") as inherited:
        async with backend("hello") as (host, backend_port):
            good = routes_to(f"http://{host}:{backend_port}", traefik)
            (home.traefik / "000-routes.yml.last-good").write_text(good)
            (home.routes / "000-routes.yml").write_text("http: [")
            process = await traefik.launch(inherited.fileno(), door)
            async with crowd.visiting():
                await asyncio.wait_for(crowd.are_answered_again(), FOR_EVER_S)
        process.send(signal.SIGKILL)
        await process.exit()

    assert not crowd.failures


@contextmanager
def no_door() -> Iterator[FrontDoor]:
    """Be where the kernel lets nobody choose."""
    yield FrontDoor(None)


EVERYWHERE = "0.0.0.0"  # noqa: S104 - which Go takes for both versions of IP


@pytest.mark.parametrize("with_door", [True, False], ids=["with a door", "where there can be none"])
async def test_a_proxy_that_listens_everywhere_is_found_ready(
    port: int, free_port: Callable[[], int], tmp_path: Path, *, with_door: bool
) -> None:
    home = Home(tmp_path / "home")
    home.prepare()
    traefik = Traefik(home, EVERYWHERE, port, free_port(), "/secret")
    with front_door(EVERYWHERE, port) if with_door else no_door() as door, (tmp_path / "held").open("w") as held:
        process = await asyncio.wait_for(traefik.launch(held.fileno(), door), FOR_EVER_S)
        _, connection = await asyncio.wait_for(asyncio.open_connection(LOOPBACK, port), FOR_EVER_S)
        connection.close()
        process.send(signal.SIGKILL)
        await process.exit()
