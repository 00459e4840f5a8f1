"""`/live/deployments/{id}/log`: the lines of one source as they are written; a message's id is its last line's number.

Lines are numbered within their source for ever, so that a page that comes back needs nothing but the last number.
"""

import asyncio
import re
from contextlib import aclosing, suppress
from typing import NoReturn, cast

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from windlass_contracts.logs import LogBatch
from windlass_eventlog.background import background
from windlass_gateway.application.access import Permission
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.log_reading import SourceLog, numbered
from windlass_gateway.entrypoints.context import Context
from windlass_gateway.entrypoints.live.frames import PING, comment, message
from windlass_gateway.entrypoints.live.reset import Reset, ResetError
from windlass_gateway.entrypoints.live.session import signed_in
from windlass_gateway.entrypoints.live.stream import chunk, finish, gone, patient, start
from windlass_gateway.entrypoints.pages.log_source import source_log
from windlass_gateway.entrypoints.pages.log_window import BLOCK, blocks
from windlass_gateway.entrypoints.pages.rendering import part
from windlass_gateway.entrypoints.streaming import until

_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
_PING_S = 15.0
_LIFETIME_S = 3_600.0


class LogTail:
    """The endpoint, as an ASGI application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        shared = cast("Context", request.app.state.context)
        caller = signed_in(request, shared)
        caller.demand(Permission.READ)
        found = await Finder(shared.gateway.rows, caller.team).deployment(request.path_params["deployment"])
        log = source_log(shared.gateway.logs, found, request.query_params.get("source", ""))
        try:
            seen = await _seen(request, log)
        except ResetError as reset:
            await start(send)
            await finish(send, reset.body)
        else:
            with suppress(TimeoutError):  # it takes nothing, and comes back for the rest if it lives
                await _tail(log, seen, shared.closing, receive, patient(send))


async def _seen(request: Request, log: SourceLog) -> int:
    """Return how many lines the client has.

    Raises:
        ResetError: that is nonsense, or more than there are.
    """
    written = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
    if not _NUMBER.fullmatch(written):
        raise ResetError(Reset.NONSENSE)
    if int(written) > await log.length():
        raise ResetError(Reset.FUTURE)
    return int(written)


async def _tail(log: SourceLog, seen: int, closing: asyncio.Event, receive: Receive, send: Send) -> None:
    over = asyncio.Event()
    await start(send)
    await send(chunk(PING))
    async with (
        background(_ending(over, closing, receive), _pinging(send)),
        aclosing(until(over, log.follow(seen))) as batches,
    ):
        async for batch in batches:
            await send(chunk(_message(batch)))
    await finish(send, comment("come back for more"))


def _message(batch: LogBatch) -> bytes:
    parts = [
        part("parts/log-tail.html", block=block, begins=(block.lines[0].number - 1) % BLOCK == 0)
        for block in blocks(numbered(batch))
    ]
    return message(batch.first + len(batch.lines), "".join(parts))


async def _ending(over: asyncio.Event, closing: asyncio.Event, receive: Receive) -> None:
    """Say that it is over: the client is gone, the gateway stops, or it lasted long enough."""
    ends = [asyncio.ensure_future(gone(receive)), asyncio.ensure_future(closing.wait())]
    try:
        await asyncio.wait(ends, timeout=_LIFETIME_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for end in ends:
            end.cancel()
    over.set()


async def _pinging(send: Send) -> NoReturn:
    while True:
        await asyncio.sleep(_PING_S)
        await send(chunk(PING))


route = Route("/live/deployments/{deployment}/log", endpoint=LogTail(), methods=["GET"], include_in_schema=False)
