"""The gateway answers under its own names alone: a stranger's name that leads to this machine opens nothing."""

from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from windlass_gateway.entrypoints.problems import answer, problem_of

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


class ForeignHostError(HTTPException):
    """The request was meant for a host that is not ours."""

    def __init__(self, own: str) -> None:
        super().__init__(HTTPStatus.MISDIRECTED_REQUEST, f"Windlass answers as {own} and on loopback, nowhere else.")


@dataclass(frozen=True, slots=True)
class OwnHosts:
    """Refuses requests whose `Host` is neither the dashboard's own nor loopback (DNS rebinding)."""

    app: ASGIApp
    own: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan" and not self._is_own(Headers(scope=scope).get("host", "")):
            await self._refuse(scope, receive, send)
            return
        await self.app(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = answer(problem_of(ForeignHostError(self.own)))
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(response)
        else:
            await response(scope, receive, send)

    def _is_own(self, host: str) -> bool:
        name = host.lower()
        head, colon, port = name.rpartition(":")
        if colon and port.isdecimal():
            name = head
        return name == self.own or name in _LOOPBACK
