"""An app of the standard library alone that answers in every way that takes time: it is read as text, and deployed.

`/` says which version answers, `/slow` takes 5 s (or `?seconds=`), `/events` is an event stream with a number each
100 ms, `/echo` a WebSocket that sends back what it gets (text up to 125 bytes). `/variable` says the value of GREETING,
`/short-lived` answers well in the first 8 s of its life and with 500 from then on.
"""

import asyncio
import base64
import hashlib
import json
import os
import time
from asyncio import StreamReader, StreamWriter
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

_VERSION = Path("VERSION").read_text().strip() if Path("VERSION").exists() else "0"
_WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_BEGAN, _LIVES_S = time.monotonic(), 8
_CLOSE, _FIN = 0x8, 0x80


async def serve(reader: StreamReader, writer: StreamWriter) -> None:
    """Answer one connection's requests, one after the other."""
    try:
        while await answer(reader, writer):
            pass
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the client went away
    finally:
        writer.close()


async def answer(reader: StreamReader, writer: StreamWriter) -> bool:
    """Answer one request; say whether the connection goes on."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    target = urlsplit(head.split(" ", 2)[1])
    if target.path == "/events":
        await stream(writer)
    elif target.path == "/echo":
        await echo(head, reader, writer)
    elif target.path == "/slow":
        await slowly(writer, float(parse_qs(target.query).get("seconds", ["5"])[0]))
        return True
    elif target.path == "/short-lived" and time.monotonic() > _BEGAN + _LIVES_S:
        writer.write(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        return True
    else:
        said = os.environ.get("GREETING", "") if target.path == "/variable" else _VERSION
        send(writer, said.encode())
        await writer.drain()
        return True
    return False


def send(writer: StreamWriter, body: bytes) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


async def slowly(writer: StreamWriter, seconds: float) -> None:
    """Begin the answer at once, so that the version is seen, and end it later."""
    begin, end = _VERSION.encode(), b" done"
    length = len(begin) + len(end)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b" % (length, begin))
    await writer.drain()
    await asyncio.sleep(seconds)
    writer.write(end)
    await writer.drain()


async def stream(writer: StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
    number = 0
    while not writer.is_closing():
        data = json.dumps({"version": _VERSION, "number": number}).encode()
        writer.write(b"data: %b\n\n" % data)
        await writer.drain()
        number += 1
        await asyncio.sleep(0.1)


async def echo(head: str, reader: StreamReader, writer: StreamWriter) -> None:
    """Shake hands and send back short messages (RFC 6455)."""
    fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    key = next(line.split(": ", 1)[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key: "))
    assert "websocket" in fields["upgrade"]
    accept = base64.b64encode(hashlib.sha1(key.encode() + _WEBSOCKET_GUID).digest())  # noqa: S324 - the protocol's own
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n\r\n" % accept
    )
    while True:
        first, length = await reader.readexactly(2)
        mask = await reader.readexactly(4)
        payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(await reader.readexactly(length & 0x7F)))
        writer.write(bytes([_FIN | first & 0x0F, len(payload)]) + payload)
        await writer.drain()
        if first & 0x0F == _CLOSE:
            return


async def main() -> None:
    server = await asyncio.start_server(serve, "0.0.0.0", int(os.environ["PORT"]))  # noqa: S104 - of its container
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
