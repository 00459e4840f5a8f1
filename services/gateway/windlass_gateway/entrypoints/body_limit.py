"""Bodies of requests are bounded before anything reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from windlass_gateway.entrypoints.problems import answer, problem_of

MAX_BODY_BYTES = 1024 * 1024


class BodyTooLargeError(HTTPException):
    """More bytes came, or were announced, than are taken."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body of a request may have {max_bytes} bytes.")


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """Refuses what says that it is too large, and stops reading what does not say and is.

    `larger` has the limits of those few paths that take more; one that ends with a slash stands for all below it.
    """

    app: ASGIApp
    max_bytes: int = MAX_BODY_BYTES
    larger: Mapping[str, int] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = str(scope["path"])
        limit = self.larger.get(path) or self.larger.get(path[: path.rfind("/") + 1], self.max_bytes)
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal() or int(announced) > limit:
            await answer(problem_of(BodyTooLargeError(limit)))(scope, receive, send)
            return
        await self.app(scope, _counted(receive, limit), send)


def _counted(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def counting() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise BodyTooLargeError(limit)
        return message

    return counting
