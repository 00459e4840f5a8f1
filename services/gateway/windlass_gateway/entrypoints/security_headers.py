"""What every answer tells the browser: what it may load, send, remember, and be shown in."""

from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types htmx"
)
SECURITY_HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
"""An answer that has one of them keeps its own: files that never change may be cached."""

_RAW = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
_COOKIE = "windlass.set_cookie"


def hand_over(connection: HTTPConnection, cookie: str) -> None:
    """Let the answer to this request carry a `Set-Cookie`, whatever kind of answer it becomes."""
    connection.scope[_COOKIE] = cookie


@dataclass(frozen=True, slots=True)
class SecurityHeaders:
    """Adds what an answer lacks to its beginning; the rest of it passes untouched."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_missing(message, scope)]
            await send(message)

        await self.app(scope, receive, sending if scope["type"] == "http" else send)


def _missing(message: Message, scope: Scope) -> list[tuple[bytes, bytes]]:
    present = Headers(raw=list(message.get("headers", ())))
    added = [(name, value) for name, value in _RAW if name.decode() not in present]
    cookie = scope.get(_COOKIE)
    return added if cookie is None else [*added, (b"set-cookie", cookie.encode())]
