"""The live tail of a log over real HTTP: each line once and in order, however often the page comes back."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID, uuid4

import pytest

from support.gateway_story import REPOSITORY
from support.http_server import served
from support.live_client import Message, opened
from support.memory_gateway import MemoryGateway

LINE = re.compile(r'<li id="L(\d+)"')


@asynccontextmanager
async def shop() -> AsyncIterator[tuple[MemoryGateway, str, UUID]]:
    gateway = MemoryGateway()
    async with gateway.client() as client, served(gateway) as url:
        answer = await client.post("/deployments", json={"git": REPOSITORY, "ref": "main"})
        yield gateway, url, UUID(answer.json()["deployment"])


def numbers(message: Message) -> list[int]:
    return [int(number) for number in LINE.findall(message.data)]


async def test_lines_arrive_as_they_are_written_and_a_message_s_id_is_its_last_line_s_number() -> None:
    async with shop() as (gateway, url, identity):
        await gateway.write_log(identity, "build-1", "one", "two")
        async with opened(gateway, url, f"deployments/{identity}/log?source=build-1&after=1") as stream:
            assert (await stream.next()).event == "ping"
            missed = await stream.next_unnamed()
            await gateway.write_log(identity, "run-1", "of another source")
            await gateway.write_log(identity, "build-1", "\x1b[31mthree", "<b>four", first=2)
            new = await stream.next_unnamed()
    assert (missed.id, numbers(missed)) == ("2", [2])
    assert (new.id, numbers(new)) == ("4", [3, 4])
    assert '<span class="sgr-1">three</span>' in new.data
    assert "&lt;b&gt;four" in new.data
    assert 'hx-target="#log-block-0" hx-swap="beforeend"' in new.data


async def test_every_line_arrives_once_however_often_the_connection_breaks() -> None:
    async with shop() as (gateway, url, identity):
        path, last, seen, written = f"deployments/{identity}/log?source=build-1", "0", list[int](), 0
        for batch in (3, 1, 200, 48, 10):
            async with opened(gateway, url, f"{path}&after=0", last=last) as stream:
                await gateway.write_log(identity, "build-1", *(f"line {n}" for n in range(batch)), first=written)
                written += batch
                while not seen or seen[-1] < written:
                    seen += numbers(await stream.next_unnamed())
                last = stream.last
            if batch == 1:  # written while nobody watches
                await gateway.write_log(identity, "build-1", "unwatched", first=written)
                written += 1
    assert seen == list(range(1, written + 1))


async def test_a_new_block_begins_where_the_old_one_is_full() -> None:
    async with shop() as (gateway, url, identity):
        await gateway.write_log(identity, "build-1", *("x" for _ in range(150)))
        await gateway.write_log(identity, "build-1", *("x" for _ in range(150)), first=150)
        async with opened(gateway, url, f"deployments/{identity}/log?source=build-1&after=150") as stream:
            message = await stream.next_unnamed()
    first, second = message.data.split("</hx-partial>")[:2]
    assert 'hx-target="#log-block-0"' in first
    assert 'hx-target="#log-lines"' in second
    assert '<ol id="log-block-1"' in second
    assert numbers(message) == list(range(151, 301))


@pytest.mark.parametrize(
    ("last", "why"), [("7", "future"), ("-1", "nonsense"), ("x", "nonsense"), ("9" * 40, "nonsense")]
)
async def test_a_number_that_nobody_can_go_on_behind_is_answered_with_a_reset(last: str, why: str) -> None:
    async with shop() as (gateway, url, identity):
        await gateway.write_log(identity, "build-1", "one")
        async with opened(gateway, url, f"deployments/{identity}/log?source=build-1", last=last) as stream:
            (reset,) = await stream.rest()
    assert (reset.event, json.loads(reset.data)) == ("reset", {"why": why})


async def test_a_tail_needs_a_session_a_deployment_and_a_source() -> None:
    async with shop() as (gateway, url, identity):
        for path, cookies, status in (
            (f"deployments/{identity}/log?source=build-1", {}, 401),
            (f"deployments/{uuid4()}/log?source=build-1", None, 404),
            (f"deployments/{identity}/log?source=../x", None, 422),
            (f"deployments/{identity}/log", None, 422),
        ):
            async with opened(gateway, url, path, cookies=cookies) as stream:
                assert stream.answer.status_code == status


async def test_a_gateway_that_stops_ends_the_tail_with_a_word() -> None:
    async with AsyncExitStack() as outside:
        async with shop() as (gateway, url, identity):
            path = f"deployments/{identity}/log?source=build-1"
            stream = await outside.enter_async_context(opened(gateway, url, path))
            await stream.next()
        async with asyncio.timeout(60):
            rest = await stream.rest()
    assert [message.comment for message in rest] == ["come back for more"]
