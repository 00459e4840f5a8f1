"""One connection for many questions, to servers that behave and to such that do not."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing

import pytest

from windlass_router.adapters.kept_connection import Answer, KeptConnection, NoAnswerError

Served = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LONG_S = 60.0


@asynccontextmanager
async def asking(serve: Served) -> AsyncIterator[KeptConnection]:
    """Yield a connection to a server that does this on each of its own."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    async with await asyncio.start_server(one, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with closing(KeptConnection(f"http://127.0.0.1:{port}/below")) as connection:
            yield connection


async def asked(reader: asyncio.StreamReader) -> bytes:
    """Return the next request."""
    return await reader.readuntil(b"\r\n\r\n")


def said(text: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nX-Said: {text}\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()


def texts(answers: list[Answer]) -> list[str]:
    return [answer.body.decode() for answer in answers]


async def test_questions_are_answered_in_turn_on_one_connection() -> None:
    connections, requests = 0, list[str]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            requests.append((await asked(reader)).decode())
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" + said(str(len(requests))))

    async with asking(serve) as connection:
        both = await connection.ask(["/a", "/b"], host="some.invalid", within_s=LONG_S)
        then = await asyncio.gather(*(connection.ask(["/c"], within_s=LONG_S) for _ in range(3)))
    assert texts(both) == ["1", "2"]
    assert [(answer.status, answer.headers["x-said"]) for answer in both] == [(200, "1"), (200, "2")]
    assert [texts(answers) for answers in then] == [["3"], ["4"], ["5"]]
    assert [request.split(" HTTP")[0] for request in requests[:3]] == ["GET /below/a", "GET /below/b", "GET /below/c"]
    assert "Host: some.invalid\r\n" in requests[0]
    assert "Host: 127.0.0.1:" in requests[2]
    assert connections == 1


@pytest.mark.parametrize(
    "answer",
    [b"", b"nothing like HTTP\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", said("one of two")],
)
async def test_a_server_that_hangs_up_or_speaks_otherwise_is_asked_on_a_new_connection(answer: bytes) -> None:
    first = True

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal first
        await asked(reader)
        writer.write(answer if first else said("well") * 2)
        first = False

    async with asking(serve) as connection:
        with pytest.raises(NoAnswerError):
            await connection.ask(["/", "/"], within_s=LONG_S)
        assert texts(await connection.ask(["/", "/"], within_s=LONG_S)) == ["well", "well"]


async def test_an_answer_that_came_too_late_is_nobody_elses() -> None:
    go_on = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked_for = (await asked(reader)).split()[1].decode()
        if asked_for.endswith("/late"):
            await go_on.wait()
        writer.write(said(asked_for))

    async with asking(serve) as connection:
        with pytest.raises(NoAnswerError, match="in time"):
            await connection.ask(["/late"], within_s=0.05)
        go_on.set()
        assert texts(await connection.ask(["/next"], within_s=LONG_S)) == ["/below/next"]


async def test_a_server_that_is_not_there_gives_no_answer() -> None:
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
    with closing(KeptConnection(f"http://127.0.0.1:{port}")) as connection, pytest.raises(NoAnswerError):
        await connection.ask(["/"], within_s=LONG_S)
