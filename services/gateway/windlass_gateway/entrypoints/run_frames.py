"""`/api/v1/runs/{run}/frames`: a WebSocket to a command with a console; its last message is a text, how it ended.

Who may connect is said by an API token alone: no cookie counts here, so no other site's page can connect as somebody.
"""

import asyncio
from contextlib import aclosing, suppress
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, WebSocket
from starlette.websockets import WebSocketDisconnect

from windlass_contracts.run_frames import FrameError, decode_frame
from windlass_eventlog.audit import ANONYMOUS, network_of
from windlass_eventlog.errors import EventLogError
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.auditing import Deed
from windlass_gateway.application.one_off import OneOff, end_of
from windlass_gateway.application.sitting import Sitting
from windlass_gateway.domain.refusals import Refusal, UnauthenticatedError
from windlass_gateway.entrypoints.context import HOW_TO_GET_A_TOKEN, Context
from windlass_gateway.entrypoints.problems import answer, problem_of
from windlass_gateway.entrypoints.runs import RunEndView

router = APIRouter(tags=["runs"])

_OVER, _REFUSED, _COME_BACK, _TOKEN_ENDED, _TAKEN_OVER = 1000, 1008, 1012, 4401, 4409
"""Why a connection is closed. Source: RFC 6455, 7.4.1, and its range for applications."""

_LONGEST_REASON = 100
_SILENT = "the stream does not answer"

AnOffset = Annotated[int, Query(ge=0, le=2**53)]


@router.websocket("/runs/{run}/frames")
async def connect(
    websocket: WebSocket, run: UUID, *, has: AnOffset = 0, base: AnOffset = 0, at_least: AnOffset = 0
) -> None:
    """Connect to a command: the client has its output up to `has`, and knows its input taken up to `base`."""
    shared: Context = websocket.app.state.context
    actor = ANONYMOUS
    try:
        caller = await _caller(websocket, shared)
        actor = caller.actor
        caller.demand(Permission.DEPLOY)
        await shared.gateway.rows.reached(at_least)
        await OneOff(shared.gateway).demand_console(caller, run)
    except (Refusal, EventLogError) as error:
        await _deny(websocket, shared, error, actor)
        return
    await websocket.accept()
    sitting = Sitting.before(shared.gateway, caller.team, run, has, base)
    with shared.gateway.endings.of(caller, shared.gateway.clock()) as ended, shared.gateway.seats.take(run) as lost:
        connection = _Connection(websocket, sitting, run)
        await connection.serve({ended: _TOKEN_ENDED, lost: _TAKEN_OVER, shared.closing: _COME_BACK})


async def _caller(websocket: WebSocket, shared: Context) -> Caller:
    kind, _, token = websocket.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or "origin" in websocket.headers:
        raise UnauthenticatedError(
            "The connection carries no API token, or comes from a page.",
            field="Authorization",
            next_step=f"Send `Authorization: Bearer TOKEN`, and no Origin. {HOW_TO_GET_A_TOKEN}",
        )
    found = await shared.access.caller(token)
    if found is None:
        raise UnauthenticatedError(
            "The API token is none of this installation's.", field="Authorization", next_step=HOW_TO_GET_A_TOKEN
        )
    return found


async def _deny(websocket: WebSocket, shared: Context, error: Exception, actor: str) -> None:
    problem = problem_of(error)
    if problem.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
        network = network_of(None if websocket.client is None else websocket.client.host)
        shared.auditing.refused(Deed("GET /api/v1/runs/{run}/frames", problem.code, problem.status, actor, network))
    await websocket.send_denial_response(answer(problem))


class _Connection:
    """Passes frames on in both directions until the command has ended, or the connection has."""

    def __init__(self, websocket: WebSocket, sitting: Sitting, run: UUID) -> None:
        self._websocket = websocket
        self._sitting = sitting
        self._run = run

    async def serve(self, closing: dict[asyncio.Event, int]) -> None:
        """Serve until the command has ended, or one of the events is set, which closes it with its code."""
        ending = asyncio.ensure_future(end_of(self._sitting.gateway.rows, self._run))
        ways = [self._typing(), self._showing(), self._staying(), *map(_code, closing.items())]
        works = [asyncio.ensure_future(way) for way in ways]
        try:
            await asyncio.wait({ending, *works}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for work in (ending, *works):
                work.cancel()
            await asyncio.wait({ending, *works})
        closed = next((work.result() for work in works if not work.cancelled()), (_OVER, ""))
        with suppress(WebSocketDisconnect, RuntimeError):  # it is gone already, and comes back if it lives
            if not ending.cancelled():
                await self._tell_rest(RunEndView.of(ending.result()))
            await self._websocket.close(*closed)

    async def _tell_rest(self, end: RunEndView) -> None:
        for frame in await self._sitting.rest():
            await self._websocket.send_bytes(frame.encode())
        await self._websocket.send_text(end.model_dump_json())

    async def _typing(self) -> tuple[int, str]:
        try:
            while True:
                await self._sitting.type(decode_frame(await self._websocket.receive_bytes()))
        except WebSocketDisconnect:
            return _OVER, ""
        except (FrameError, KeyError) as error:  # the second is what a text has in place of bytes
            return _REFUSED, str(error)[:_LONGEST_REASON]
        except EventLogError:
            return _COME_BACK, _SILENT

    async def _showing(self) -> tuple[int, str]:
        try:
            async with aclosing(self._sitting.output()) as frames:
                async for frame in frames:
                    await self._websocket.send_bytes(frame.encode())
        except WebSocketDisconnect:
            return _OVER, ""
        raise AssertionError  # it is followed until it is cancelled

    async def _staying(self) -> tuple[int, str]:
        try:
            await self._sitting.stay()
        except EventLogError:
            return _COME_BACK, _SILENT


async def _code(closing: tuple[asyncio.Event, int]) -> tuple[int, str]:
    event, code = closing
    await event.wait()
    return code, ""
