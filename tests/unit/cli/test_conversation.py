"""A conversation outlives its connections: what is lost with one is sent again over the next, and nothing twice."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.asyncio.server import ServerConnection, serve

from windlass.api import Api
from windlass.connection import Connection
from windlass.conversation import Conversation
from windlass.errors import InterruptedStreamError
from windlass_contracts.run_frames import Frame, FrameKind, Size, decode_frame

MARK = b"m" * 16
END = {"end": "exited", "exit_code": 3, "reason": None, "duration_ms": 1}
Talk = Callable[[ServerConnection, dict[str, str]], Awaitable[None]]


def welcome(offset: int) -> bytes:
    return Frame(FrameKind.WELCOME, offset, MARK).encode()


async def heard(websocket: ServerConnection, kind: FrameKind) -> Frame:
    async with asyncio.timeout(60):
        while True:
            message = await websocket.recv()
            assert isinstance(message, bytes)
            if (frame := decode_frame(message)).kind is kind:
                return frame


async def held(*talks: Talk, keys: AsyncGenerator[bytes, None] | None = None, has: int | None = 0) -> Conversation:
    """Hold a conversation with a server that answers each connection by the next of the talks."""
    left = list(talks)

    async def answer(websocket: ServerConnection) -> None:
        assert websocket.request is not None
        query = parse_qs(urlsplit(websocket.request.path).query)
        await left.pop(0)(websocket, {name: values[0] for name, values in query.items()})

    async with serve(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with Api(Connection(f"http://127.0.0.1:{port}", "token")) as api:
            talk = Conversation(api, "run", has=has)
            talk.resize(Size(30, 90))
            typing = asyncio.ensure_future(talk.type(keys)) if keys is not None else None
            try:
                async with asyncio.timeout(60):
                    assert await talk.until_ended() == END
            finally:
                if typing is not None:
                    typing.cancel()
                    await asyncio.wait({typing})
    assert not left
    return talk


async def typed() -> AsyncGenerator[bytes, None]:
    yield b"abc"
    await asyncio.Event().wait()


async def test_what_a_lost_connection_took_along_comes_over_the_next(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    async def first(websocket: ServerConnection, query: dict[str, str]) -> None:
        assert (query["has"], query["base"]) == ("0", "0")
        await websocket.send(welcome(0))
        assert (await heard(websocket, FrameKind.SIZE)).size == Size(30, 90)
        await websocket.send(Frame(FrameKind.OUT, 0, b"\xffone ").encode())
        assert (await heard(websocket, FrameKind.INPUT)).data == b"abc"
        await websocket.close(1012)

    async def second(websocket: ServerConnection, query: dict[str, str]) -> None:
        assert query["has"] == "5"
        await websocket.send(welcome(1))  # one of its keys arrived
        again = await heard(websocket, FrameKind.INPUT)
        assert (again.offset, again.data) == (1, b"bc")
        await websocket.send(Frame(FrameKind.OUT, 0, b"\xffone two").encode())
        await websocket.send(Frame(FrameKind.ERR, 8, b"three").encode())
        assert (await heard(websocket, FrameKind.TAKEN)).offset in (8, 13)
        await websocket.send(json.dumps(END))

    talk = await held(first, second, keys=typed())
    shown = capfdbinary.readouterr()
    assert (shown.out, shown.err, talk.lost) == (b"\xffone two", b"three", 0)


async def test_who_comes_back_to_a_command_begins_with_what_there_is() -> None:
    async def only(websocket: ServerConnection, _query: dict[str, str]) -> None:
        await websocket.send(welcome(70))
        await websocket.send(Frame(FrameKind.OUT, 1_000, b"on and on").encode())
        await websocket.send(json.dumps(END))

    talk = await held(only, has=None)
    assert (talk.has, talk.lost) == (1_009, 0)


async def test_bytes_that_nobody_kept_are_counted() -> None:
    async def only(websocket: ServerConnection, _query: dict[str, str]) -> None:
        await websocket.send(welcome(0))
        await websocket.send(Frame(FrameKind.OUT, 10, b"late").encode())
        await websocket.send(json.dumps(END))

    assert (await held(only)).lost == 10


@pytest.mark.parametrize(("code", "said"), [(4409, "took over"), (4401, "revoked or has expired"), (1008, "too much")])
async def test_a_connection_that_is_closed_for_good_is_not_made_again(code: int, said: str) -> None:
    async def only(websocket: ServerConnection, _query: dict[str, str]) -> None:
        await websocket.close(code, "too much")

    with pytest.raises(InterruptedStreamError, match=said):
        await held(only)
