"""Serving HTTP on loopback inside somebody else's loop, until told to stop."""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from windlass_contracts.run_frames import LARGEST_DATA

LOOPBACK = "127.0.0.1"
_BACKLOG = 512
_FINISH_SECONDS = 3
_LARGEST_MESSAGE = LARGEST_DATA + 64


class PortTakenError(Exception):
    """Something else listens on the gateway's port."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"Port {port} on {LOOPBACK} is taken: stop what listens there, or set WINDLASS_GATEWAY_PORT to another."
        )


def _is_no_refusal(record: logging.LogRecord) -> bool:
    """Tell whether a line is not what uvicorn says of each connection that was refused with an answer."""
    return "without completing handshake" not in record.getMessage()


logging.getLogger("uvicorn.error").addFilter(_is_no_refusal)


class _Server(uvicorn.Server):
    """Leaves signals to the process that runs it, and says when it takes requests."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._say_started = started

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._say_started()


def listen(port: int) -> socket.socket:
    """Return a socket that listens on loopback.

    Raises:
        PortTakenError: something else does.
    """
    try:
        listener = socket.create_server((LOOPBACK, port), backlog=_BACKLOG)
    except OSError as error:
        raise PortTakenError(port) from error
    # asyncio sets this only on sockets that name their protocol, which accepted ones of this listener do not; without
    # it an answer's body waits 40 ms for the client's delayed acknowledgement of its headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


async def serve_http(
    app: FastAPI, listener: socket.socket, closing: asyncio.Event, started: Callable[[], None]
) -> None:
    """Answer requests until cancelled; then set `closing`, finish what is being answered (3 s at most), and return."""
    config = uvicorn.Config(
        app,
        loop="none",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=_LARGEST_MESSAGE,
        ws_per_message_deflate=False,  # a keystroke is in no need of it
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_FINISH_SECONDS,
    )
    server = _Server(config, started)
    serving = asyncio.ensure_future(server.serve([listener]))
    try:
        await asyncio.shield(serving)
    finally:
        closing.set()
        server.should_exit = True
        await serving
