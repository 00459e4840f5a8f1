"""Bodies of requests are bounded before anything reads them."""

from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from windlass_gateway.entrypoints.problems import Problem, answer

MAX_BODY_BYTES = 1024 * 1024


class _TooLargeError(Exception):
    """More bytes came than are taken."""


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """Refuses what says that it is too large, and stops reading what does not say and is."""

    app: ASGIApp
    max_bytes: int = MAX_BODY_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal() or int(announced) > self.max_bytes:
            await self._refuse(scope, receive, send)
            return
        try:
            await self.app(scope, self._counted(receive), send)
        except _TooLargeError:
            await self._refuse(scope, receive, send)

    def _counted(self, receive: Receive) -> Receive:
        seen = 0

        async def counting() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.max_bytes:
                raise _TooLargeError
            return message

        return counting

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = Problem(
            title="The request is too large",
            status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            detail=f"A request may have {self.max_bytes} bytes.",
            next="Send less at once; values of variables can be set one by one.",
        )
        await answer(problem)(scope, receive, send)
