"""What is read line by line: complete, filtered, followed as it happens, and ended when the gateway stops."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest

from support.gateway_story import REPOSITORY, way_to_live
from support.http_server import served
from support.memory_gateway import TOKEN, MemoryGateway
from windlass_eventlog.errors import GapError

DEPLOY = {"git": REPOSITORY, "ref": "main"}


async def deploy(client: httpx.AsyncClient, project: str = "shop") -> UUID:
    answer = await client.post("/deployments", json={**DEPLOY, "project": project})
    return UUID(answer.json()["deployment"])


async def lines(client: httpx.AsyncClient, path: str, **query: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a query
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


@asynccontextmanager
async def following(gateway: MemoryGateway, path: str, **query: Any) -> AsyncIterator[AsyncIterator[str]]:  # noqa: ANN401
    """Yield the lines of a stream as they arrive, over a real connection."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        served(gateway) as url,
        httpx.AsyncClient(base_url=f"{url}/api/v1", headers=headers, timeout=60) as client,
        client.stream("GET", path, params={"follow": "true", **query}) as answer,
    ):
        assert answer.status_code == 200
        yield answer.aiter_lines()


async def test_all_events_up_to_now_are_streamed_in_order() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        await deploy(client)
        events = await lines(client, "/events")
        rest = await lines(client, "/events", after=2)
    assert [event["sequence"] for event in events] == [1, 2, 3]
    assert [event["type"] for event in rest] == ["deployment.requested.v1"]
    assert events[2]["data"]["source"]["repository"] == REPOSITORY


async def test_events_are_filtered_by_type_and_by_project() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        await deploy(client)
        await deploy(client, "other")
        by_type = await lines(client, "/events", type=["project.created", "environment.created.v1"])
        by_project = await lines(client, "/events", project="other")
    assert [event["sequence"] for event in by_type] == [1, 2, 4, 5]
    assert [event["sequence"] for event in by_project] == [4, 5, 6]


@pytest.mark.parametrize("query", [{"type": "nonsense"}, {"after": 99}, {"after": -1}, {"project": "none"}])
async def test_a_filter_that_fits_nothing_is_refused_with_the_field(query: dict[str, Any]) -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        answer = await client.get("/events", params=query)
    assert answer.status_code in {404, 422}
    assert answer.json()["field"] == next(iter(query))


async def test_followed_events_arrive_as_they_are_appended() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        identity = await deploy(client)
        async with following(gateway, "/events", project="shop", after=2) as stream:
            first = json.loads(await anext(stream))
            await deploy(client, "other")
            await gateway.tell(identity, way_to_live()[1:2])
            second = json.loads(await anext(stream))
    assert (first["type"], second["type"]) == ("deployment.requested.v1", "build.started.v1")


async def test_a_log_that_is_followed_goes_on_with_new_lines_and_ends_when_the_gateway_stops() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        identity = await deploy(client)
        await gateway.write_log(identity, "build-1", "one", "two")
        async with following(gateway, f"/deployments/{identity}/logs") as stream:
            seen = [json.loads(await anext(stream))["text"] for _ in range(2)]
            await gateway.write_log(identity, "build-1", "three", first=2)
            seen.append(json.loads(await anext(stream))["text"])
            gateway.closing.set()
            rest = [line async for line in stream]
    assert (seen, rest) == (["one", "two", "three"], [])


async def test_a_log_can_be_read_on_behind_a_line() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        identity = await deploy(client)
        await gateway.write_log(identity, "build-1", "one", "two", "\x1b[31mthree")
        all_lines = await lines(client, f"/deployments/{identity}/logs")
        rest = await lines(client, f"/deployments/{identity}/logs", source="build-1", line=1)
    assert [line["line"] for line in all_lines] == [0, 1, 2]
    assert [line["text"] for line in rest] == ["\x1b[31mthree"]


async def test_a_stream_that_breaks_off_says_why_in_its_last_line() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        await deploy(client)
        gateway.log.stretches = _broken  # type: ignore[method-assign, assignment] # the log breaks under the reader
        (line,) = await lines(client, "/events")
    assert line["problem"]["status"] == 500


async def _broken(after: int, *_: object) -> AsyncIterator[object]:
    if after == 0:
        raise GapError("sequence 2 is missing")
    yield after
