"""Streams of the API as commands read them: one document a line, whatever the texts in it hold."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from windlass.api import Api
from windlass.connection import Connection

TEXTS = ["a\u2028b", "a\u2029b", "a\x85b", "a\x0bb\x0cc\x1cd\x1ee", "ä\U0001f680", ""]


@asynccontextmanager
async def answering(*parts: bytes) -> AsyncIterator[str]:
    """Serve one answer in these parts; yield the URL."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in parts:
            writer.write(b"%x\r\n%b\r\n" % (len(part), part))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def read(*parts: bytes) -> list[str]:
    async with (
        answering(*parts) as url,
        Api(Connection(url, "token")) as api,
        aclosing(api.lines("/deployments/d/logs")) as lines,
    ):
        return [line["text"] async for line in lines]


async def test_a_document_is_read_whole_whatever_its_texts_hold_and_wherever_it_is_cut() -> None:
    stream = b"".join(json.dumps({"text": text}, ensure_ascii=False).encode() + b"\n" for text in TEXTS)
    assert await read(stream) == TEXTS
    assert await read(*(stream[at : at + 1] for at in range(len(stream)))) == TEXTS
    assert await read(stream.removesuffix(b"\n")) == TEXTS
