"""Live updates over real HTTP: resumed without gap or double, reset where that cannot be, ended in order."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from itertools import count
from uuid import UUID, uuid4

import pytest

from support.gateway_story import REPOSITORY, way_to_live
from support.http_server import served
from support.live_client import HOST, opened
from support.memory_gateway import MemoryGateway
from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import BuildStarted
from windlass_contracts.ids import TeamId
from windlass_gateway.entrypoints.context import Context
from windlass_gateway.entrypoints.live.hub import Pace
from windlass_gateway.entrypoints.pages import events


@asynccontextmanager
async def shop(pace: Pace | None = None) -> AsyncIterator[tuple[MemoryGateway, str, UUID]]:
    """Yield a served gateway with one deployment, whose request is the third event."""
    gateway = MemoryGateway(pace=pace or Pace(pause_s=0))
    async with gateway.client() as client, served(gateway) as url:
        answer = await client.post("/deployments", json={"git": REPOSITORY, "ref": "main", "project": "shop"})
        yield gateway, url, UUID(answer.json()["deployment"])


async def test_a_stream_says_at_once_that_it_is_there_and_is_never_stored() -> None:
    async with shop() as (gateway, url, _), opened(gateway, url, "events") as stream:
        assert stream.answer.status_code == 200
        assert stream.answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.answer.headers["cache-control"] == "no-store"
        assert stream.answer.headers["x-accel-buffering"] == "no"
        assert (await stream.next()).event == "ping"


async def test_what_happens_to_a_deployment_arrives_as_it_is_rendered_on_its_page() -> None:
    async with shop() as (gateway, url, identity):
        epoch = await gateway.hub.epoch()
        async with opened(gateway, url, f"deployments/{identity}?after={epoch}-3") as stream:
            await gateway.tell(identity, way_to_live()[1:2])
            message = await stream.next_unnamed()
    assert message.id == f"{epoch}-4"
    assert "Building" in message.data


async def test_what_was_missed_comes_first_and_what_was_seen_never_again() -> None:
    async with shop() as (gateway, url, identity):
        epoch = await gateway.hub.epoch()
        async with opened(gateway, url, f"events?after={epoch}-1") as stream:
            seen = [(await stream.next_unnamed()).id for _ in range(2)]
            last = stream.last
        await gateway.tell(identity, way_to_live()[1:4])
        # The page's own place is older than what its stream received: the header wins.
        async with opened(gateway, url, f"events?after={epoch}-1", last=last) as stream:
            seen += [(await stream.next_unnamed()).id for _ in range(3)]
            await gateway.tell(identity, way_to_live()[4:5])
            seen.append((await stream.next_unnamed()).id)
    assert seen == [f"{epoch}-{number}" for number in range(2, 8)]


@pytest.mark.parametrize(
    ("last", "why"),
    [
        ("1-3", "other-log"),
        ("EPOCH-9000000", "future"),
        ("nonsense", "nonsense"),
        ("EPOCH--1", "nonsense"),
        ("EPOCH-" + "9" * 200, "nonsense"),
        ("EPOCH-1; DROP TABLE", "nonsense"),
    ],
)
async def test_an_id_that_nobody_can_go_on_behind_is_answered_with_a_reset(last: str, why: str) -> None:
    async with shop() as (gateway, url, _):
        written = last.replace("EPOCH", await gateway.hub.epoch())
        async with opened(gateway, url, "events", last=written) as stream:
            (reset,) = await stream.rest()
    assert (reset.event, json.loads(reset.data)) == ("reset", {"why": why})


async def test_a_page_that_is_too_old_is_loaded_anew() -> None:
    async with shop(Pace(kept=1, replayed=1)) as (gateway, url, _):
        last = f"{await gateway.hub.epoch()}-1"
        async with opened(gateway, url, f"events?after={last}") as stream:
            (reset,) = await stream.rest()
    assert json.loads(reset.data) == {"why": "too-far-back"}


async def test_what_is_not_kept_any_more_is_read_from_the_log() -> None:
    async with shop(Pace(kept=1)) as (gateway, url, _):
        epoch = await gateway.hub.epoch()
        async with opened(gateway, url, f"events?after={epoch}-0") as stream:
            seen = [(await stream.next_unnamed()).id for _ in range(3)]
    assert seen == [f"{epoch}-1", f"{epoch}-2", f"{epoch}-3"]


async def test_nobody_watches_without_a_session() -> None:
    async with shop() as (gateway, url, identity):
        for cookies in ({}, {"windlass_session": "forged"}):
            async with opened(gateway, url, f"deployments/{identity}", cookies=cookies) as stream:
                assert stream.answer.status_code == 401
                assert stream.answer.headers["hx-redirect"].startswith("/sign-in")


@pytest.mark.parametrize("path", ["", "none", "deployments", "deployments/zz", "deployments/a/b/c", "events/1", "%00"])
async def test_a_view_that_is_none_is_not_found(path: str) -> None:
    async with shop() as (gateway, url, _), opened(gateway, url, path) as stream:
        assert stream.answer.status_code in {404, 422}


async def test_a_deployment_that_does_not_exist_has_no_view() -> None:
    async with shop() as (gateway, url, _), opened(gateway, url, f"deployments/{uuid4()}") as stream:
        assert stream.answer.status_code == 404


async def test_events_are_filtered_as_on_their_page() -> None:
    async with shop() as (gateway, url, identity):
        epoch = await gateway.hub.epoch()
        async with opened(gateway, url, f"events?project=shop&type=build.started&after={epoch}-0") as stream:
            await gateway.tell(identity, way_to_live()[1:2])
            assert (await stream.next_unnamed()).id == f"{epoch}-4"
        async with opened(gateway, url, "events?type=nonsense") as stream:
            assert stream.answer.status_code == 422


async def test_a_client_that_goes_is_forgotten_at_once() -> None:
    async with shop() as (gateway, url, _):
        async with opened(gateway, url, "events") as stream:
            await stream.next()
            assert gateway.hub.viewers == 1
        async with asyncio.timeout(60):
            while gateway.hub.viewers:  # noqa: ASYNC110 - only tests wait for that
                await asyncio.sleep(0)


async def test_a_client_that_reads_nothing_is_cut_off_and_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def large(_: Context, __: TeamId, recorded: Recorded[Event]) -> str:
        return f"{recorded.sequence}" + "x" * 2**20

    monkeypatch.setattr(events, "live", large)
    async with shop(Pace(waiting=2)) as (gateway, url, identity):
        with lazy_reader(gateway, url, "events"):
            async with opened(gateway, url, "events") as quick, asyncio.timeout(60):
                while gateway.hub.viewers < 2:  # noqa: ASYNC110 - only tests wait for that
                    await asyncio.sleep(0)
                for attempt in count(1):
                    await gateway.tell(identity, [BuildStarted(node="here", attempt=attempt)])
                    assert (await quick.next_unnamed()).data.startswith(str(3 + attempt))
                    if gateway.hub.viewers == 1:
                        break


@contextmanager
def lazy_reader(gateway: MemoryGateway, url: str, path: str) -> Iterator[None]:
    """Ask for a stream and read nothing of it."""
    ((name, token),) = gateway.signed_in().items()
    request = f"GET /live/{path} HTTP/1.1\r\nHost: {HOST}\r\nCookie: {name}={token}\r\n\r\n"
    with socket.socket() as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1_024)
        lazy.connect(("127.0.0.1", int(url.rpartition(":")[2])))
        lazy.sendall(request.encode())
        yield


async def test_a_gateway_that_stops_ends_its_streams_with_a_word() -> None:
    async with AsyncExitStack() as outside:
        async with shop() as (gateway, url, _):
            stream = await outside.enter_async_context(opened(gateway, url, "events"))
            await stream.next()
        rest = await stream.rest()
    assert [message.comment for message in rest] == ["the gateway stops: come back"]


async def test_a_stream_may_last_for_some_time_only() -> None:
    async with shop(Pace(lifetime_s=0.05)) as (gateway, url, _), opened(gateway, url, "events") as stream:
        rest = await stream.rest()
    assert rest[0].event == "ping"
    assert rest[-1].comment == "that was long: come back"


async def test_a_stream_on_which_nothing_happens_says_now_and_then_that_it_is_there() -> None:
    async with shop(Pace(ping_s=0.01)) as (gateway, url, _), opened(gateway, url, "events") as stream:
        assert [(await stream.next()).event for _ in range(3)] == ["ping"] * 3


async def test_two_pages_share_one_reader_of_the_log() -> None:
    async with shop() as (gateway, url, identity):
        reads = 0
        read = gateway.log.read

        def counted(*args: object) -> object:
            nonlocal reads
            reads += 1
            return read(*args)  # type: ignore[arg-type]

        gateway.log.read = counted  # type: ignore[method-assign, assignment]
        async with opened(gateway, url, "events") as one, opened(gateway, url, f"deployments/{identity}") as two:
            await gateway.tell(identity, way_to_live()[1:2])
            await one.next_unnamed()
            await two.next_unnamed()
    assert reads == 0
