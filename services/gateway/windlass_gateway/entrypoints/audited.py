"""The one place that sees what every request came to, and tells AUDIT of those that matter.

Refused commands, whatever refused them; refused sign-ins; reads that somebody had no right to. And acts of operators,
where the handler says by `acted` that one was done. Who asks, and what an error is called, travel in the scope.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from windlass_eventlog.audit import ANONYMOUS, network_of
from windlass_gateway.application.auditing import Auditing, Deed
from windlass_gateway.entrypoints.codes import SIGN_IN_REQUIRED, code_of_status

_ACTOR, _CODE, _ACT = "windlass.actor", "windlass.code", "windlass.act"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_NOWHERE = "(no such path)"
_NOT_ALLOWED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.GONE})
"""What is noted of reads too. GONE is what a link to sign in that is used, old or invented is answered."""


def asks(connection: HTTPConnection, actor: str) -> None:
    """Say who asks; they have proved it."""
    connection.scope[_ACTOR] = actor


def refused_for(connection: HTTPConnection, code: str) -> None:
    """Say what a request is refused for."""
    connection.scope[_CODE] = code


def acted(connection: HTTPConnection, act: str) -> None:
    """Say which act of an operator this request did; nothing that they wrote is in its name."""
    connection.scope[_ACT] = act


@dataclass(frozen=True, slots=True)
class Audited:
    """Looks at each answer once it is sent: nothing waits for that. `templates` has the paths of all endpoints."""

    app: ASGIApp
    auditing: Auditing
    templates: Mapping[object, str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        await self.app(scope, receive, sending)
        self._tell(scope, status)

    def _tell(self, scope: Scope, status: int) -> None:
        code: str | None = scope.get(_CODE)
        if code == SIGN_IN_REQUIRED:  # which a browser is answered by being sent to sign in
            status = HTTPStatus.UNAUTHORIZED if scope["method"] in _UNSAFE else HTTPStatus.OK
        if _is_refusal(scope["method"], status):
            self.auditing.refused(self._deed(scope, self._operation(scope), code or code_of_status(status), status))
        elif _ACT in scope and status < HTTPStatus.BAD_REQUEST:
            self.auditing.noted(self._deed(scope, scope[_ACT], "done", status))

    def _operation(self, scope: Scope) -> str:
        method = scope["method"] if scope["method"] in _SAFE | _UNSAFE else "OTHER"
        return f"{method} {self.templates.get(scope.get('endpoint'), _NOWHERE)}"

    def _deed(self, scope: Scope, operation: str, code: str, status: int) -> Deed:
        client = scope.get("client")
        network = network_of(None if client is None else client[0])
        return Deed(operation, code, status, scope.get(_ACTOR, ANONYMOUS), network)


def _is_refusal(method: str, status: int) -> bool:
    if method in _SAFE:
        return status in _NOT_ALLOWED
    return HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
