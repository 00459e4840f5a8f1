"""A stream of server-sent events over bare ASGI: one coroutine, no response object, the frames' bytes as they are."""

import asyncio
from contextlib import suppress

from starlette.types import Message, Receive, Send

from windlass_gateway.entrypoints.live.viewer import Viewer

PATIENCE_S = 60.0
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


async def start(send: Send) -> None:
    """Send the headers."""
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})


def chunk(body: bytes) -> Message:
    """Return the message that sends some bytes, with more to come."""
    return {"type": "http.response.body", "body": body, "more_body": True}


async def finish(send: Send, body: bytes = b"") -> None:
    """Send the last bytes."""
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def stream(viewer: Viewer, receive: Receive, send: Send) -> None:
    """Send what the viewer gets until it ends or the client is gone."""
    leaving = asyncio.ensure_future(gone(receive))
    leaving.add_done_callback(lambda _: viewer.end("gone"))
    try:
        with suppress(TimeoutError):
            async with viewer.bounded():
                while (body := await viewer.next()) is not None:
                    await send(chunk(body))
                await finish(send)
    finally:
        leaving.cancel()


def patient(send: Send, seconds: float = PATIENCE_S) -> Send:
    """Return a `send` that raises TimeoutError where the client takes nothing for so long."""

    async def sending(message: Message) -> None:
        async with asyncio.timeout(seconds):
            await send(message)

    return sending


async def gone(receive: Receive) -> None:
    """Wait until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
