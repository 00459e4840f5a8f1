"""Whoever asked for a command with a console connects to it, and nobody else; what is hostile is refused."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from uuid import UUID, uuid4

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from support.api_requests import assert_problem, deploy
from support.http_server import served
from support.memory_gateway import TOKEN, MemoryGateway
from windlass_contracts.events import RunRequested
from windlass_contracts.ids import RunId
from windlass_contracts.logs import LogBatch
from windlass_contracts.run_frames import LARGEST_DATA, WINDOW, Frame, FrameKind, decode_frame
from windlass_contracts.run_values import Console, read_order
from windlass_eventlog.frames.port import into, out_of
from windlass_eventlog.logs.codec import decode_batch

ASKED = {"command": "cat", "console": {"terminal": True, "rows": 30, "columns": 90, "name": "screen"}}


class Asked:
    """A gateway with a command that was asked for; the test is the builder."""

    def __init__(self, gateway: MemoryGateway, url: str, run: str) -> None:
        self.gateway = gateway
        self.url = f"{url.replace('http', 'ws')}/api/v1/runs/{run}/frames"
        self.run = RunId(UUID(run))
        self.wire_in, self.wire_out = into(gateway.team, self.run), out_of(gateway.team, self.run)

    @asynccontextmanager
    async def connected(self, query: str = "") -> AsyncIterator[ClientConnection]:
        """Connect, and be welcome."""
        async with connect(self.url + query, additional_headers={"Authorization": f"Bearer {TOKEN}"}) as websocket:
            here = await self.heard(FrameKind.HERE)
            await self.gateway.frames.send(self.wire_out, here.welcome(here.base))
            yield websocket

    async def heard(self, kind: FrameKind) -> Frame:
        """Return the latest frame of that kind that came to the builder."""
        async with asyncio.timeout(60):
            async with aclosing(self.gateway.frames.follow(self.wire_in)) as frames:
                found = [one for one in await self.gateway.frames.kept(self.wire_in) if one.kind is kind]
                async for frame in frames:
                    if frame.kind is kind and (not found or frame == found[-1]):
                        return frame
        raise AssertionError


async def said(websocket: ClientConnection) -> Frame:
    message = await asyncio.wait_for(websocket.recv(), 60)
    assert isinstance(message, bytes), message
    return decode_frame(message)


async def flood(websocket: ClientConnection) -> None:
    for offset in range(0, 10**9, LARGEST_DATA):
        await websocket.send(Frame(FrameKind.INPUT, offset, b"x" * LARGEST_DATA).encode())


@pytest.fixture
async def asked() -> AsyncIterator[Asked]:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        first = await deploy(client)
        await gateway.make_live(UUID(first["deployment"]), "shop")
        accepted = (await client.post("/projects/shop/runs", json=ASKED)).json()
    event = gateway.log.at(accepted["sequence"]).event
    assert isinstance(event, RunRequested)
    assert event.terminal
    order = read_order(await gateway.vault.reveal(event.command))
    assert order.console == Console(terminal=True, rows=30, columns=90, name="screen")
    async with served(gateway) as url:
        yield Asked(gateway, url, accepted["run"])


async def ended(asked: Asked) -> None:
    async with asked.gateway.client() as client:
        await client.post(f"/runs/{asked.run}/cancel")


async def test_keys_go_in_and_output_comes_out_until_the_command_has_ended(asked: Asked) -> None:
    frames = asked.gateway.frames
    await frames.send(asked.wire_out, Frame(FrameKind.OUT, 0, b"before anybody came"))
    async with asked.connected("?has=19") as websocket:
        assert (await said(websocket)).kind is FrameKind.WELCOME
        await websocket.send(Frame(FrameKind.INPUT, 0, b"\x03").encode())
        assert (await asked.heard(FrameKind.INPUT)).data == b"\x03"
        await frames.send(asked.wire_out, Frame(FrameKind.OUT, 19, b"\x1b[31m\xff"))
        assert await said(websocket) == Frame(FrameKind.OUT, 19, b"\x1b[31m\xff")
        await ended(asked)
        end = json.loads(await websocket.recv())
    assert (end["end"], end["exit_code"]) == ("canceled", None)
    async with connect(asked.url, additional_headers={"Authorization": f"Bearer {TOKEN}"}) as late:
        assert await said(late) == Frame(FrameKind.OUT, 0, b"before anybody came"), "what is kept of it"
        await said(late)
        assert json.loads(await late.recv())["end"] == "canceled"


async def test_only_who_asked_for_it_may_connect_and_no_page_may(asked: Asked) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    for headers, url, status in (
        ({}, asked.url, 401),
        ({"Authorization": "Bearer nobody"}, asked.url, 401),
        ({"Cookie": "; ".join(map("=".join, asked.gateway.signed_in().items()))}, asked.url, 401),
        ({**bearer, "Origin": "https://evil.example"}, asked.url, 401),
        (bearer, asked.url.replace(str(asked.run), str(uuid4())), 404),
    ):
        with pytest.raises(InvalidStatus) as refused:
            await connect(url, additional_headers=headers)
        assert refused.value.response.status_code == status, headers
        assert json.loads(refused.value.response.body or b"")["status"] == status


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"no frame",
        "text",
        Frame(FrameKind.OUT, 0, b"as if it were the command").encode(),
        Frame.here(0, 0, b"x" * 16).encode(),
        b"s" + bytes(8) + bytes(4),
        b"s" + bytes(8) + b"\xff" * 4,
        Frame(FrameKind.INPUT, WINDOW, b"x").encode(),
        b"i" + bytes(8) + b"x" * (LARGEST_DATA + 1),
        b"i" + bytes(8) + b"x" * 1_000_000,
    ],
)
async def test_what_is_hostile_ends_the_connection_and_reaches_nobody(asked: Asked, hostile: bytes | str) -> None:
    async with asked.connected() as websocket:
        await said(websocket)
        await websocket.send(hostile)
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(websocket.recv(), 60)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code in (1008, 1009)
    kinds = {frame.kind for frame in await asked.gateway.frames.kept(asked.wire_in)}
    assert kinds == {FrameKind.HERE}


async def test_a_gigabyte_for_a_command_that_takes_none_is_not_kept(asked: Asked) -> None:
    async with asked.connected() as websocket:
        with pytest.raises(ConnectionClosed) as closed:
            await flood(websocket)
    assert closed.value.rcvd is not None
    assert "on their way" in closed.value.rcvd.reason
    kept = await asked.gateway.frames.kept(asked.wire_in)
    assert sum(len(frame.data) for frame in kept if frame.kind is FrameKind.INPUT) == WINDOW


async def test_who_comes_later_takes_the_seat(asked: Asked) -> None:
    async with asked.connected() as first:
        await said(first)
        async with asked.connected() as second:
            await said(second)
            with pytest.raises(ConnectionClosed) as closed:
                await first.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4409


async def test_a_command_without_a_console_is_not_connected_to(asked: Asked) -> None:
    async with asked.gateway.client() as client:
        plain = (await client.post("/projects/shop/runs", json={"command": "env"})).json()["run"]
        shown = (await client.get(f"/runs/{plain}")).json()
        mine = (await client.get(f"/runs/{asked.run}")).json()
        assert_problem(await client.get(f"/runs/{uuid4()}"), 404, "run")
        for bad in ({"rows": 0}, {"columns": 10**9}, {"name": "a b"}, {"name": ""}, {"more": 1}):
            body = {"command": "cat", "console": bad}
            assert (await client.post("/projects/shop/runs", json=body)).status_code == 422, bad
    assert (shown["console"], shown["terminal"], shown["end"]) == (False, False, None)
    assert (mine["console"], mine["terminal"], mine["started"]) == (True, True, False)
    with pytest.raises(InvalidStatus) as refused:
        await connect(asked.url.replace(str(asked.run), plain), additional_headers={"Authorization": f"Bearer {TOKEN}"})
    assert refused.value.response.status_code == 409


async def test_what_sits_on_the_stream_for_a_console_is_no_line_and_its_end_is_told(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def frames(*_: object) -> AsyncGenerator[LogBatch, None]:
        for frame in (b"a frame",):
            yield decode_batch(frame)

    monkeypatch.setattr(asked.gateway.gateway.terminals, "follow", frames)
    monkeypatch.setattr(asked.gateway.gateway.terminals, "read", frames)
    await ended(asked)
    async with asked.gateway.client() as client:
        output = await client.get(f"/runs/{asked.run}/output")
        shown = (await client.get(f"/runs/{asked.run}")).json()
    assert [json.loads(line) for line in output.text.splitlines()] == [{"end": "canceled"}]
    assert shown["end"]["end"] == "canceled"
