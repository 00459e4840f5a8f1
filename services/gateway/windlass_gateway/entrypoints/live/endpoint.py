"""`/live/{view}`: what changes on a page, as it changes."""

from typing import cast

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from windlass_gateway.entrypoints.context import Context
from windlass_gateway.entrypoints.live.hub import Hub
from windlass_gateway.entrypoints.live.place import Place
from windlass_gateway.entrypoints.live.reset import Reset, ResetError
from windlass_gateway.entrypoints.live.session import signed_in
from windlass_gateway.entrypoints.live.stream import finish, start, stream
from windlass_gateway.entrypoints.live.view import View
from windlass_gateway.entrypoints.live.views import find_view

LAST_EVENT_ID = "last-event-id"


class Live:
    """The endpoint, as an ASGI application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # What was read of the request is let go before the stream begins: each lasts long, and there are many.
        hub, view, after = await _asked(Request(scope))
        try:
            async with hub.watching(view, last_seen(after)) as viewer:
                await start(send)
                await stream(viewer, receive, send)
        except ResetError as reset:
            await start(send)
            await finish(send, reset.body)


async def _asked(request: Request) -> tuple[Hub, View, str]:
    """Return what is to be watched, and behind what: what the client received last counts before its page's place.

    Raises:
        Refusal: nobody is signed in, or they may not watch that, or there is no such view.
    """
    shared = cast("Context", request.app.state.context)
    view = await find_view(shared, signed_in(request, shared), request.path_params["view"], request.query_params)
    return shared.hub, view, request.headers.get(LAST_EVENT_ID) or request.query_params.get("after", "")


def last_seen(written: str) -> Place | None:
    """Return the place that is written, if any is.

    Raises:
        ResetError: it is nonsense.
    """
    if not written:
        return None
    place = Place.parse(written)
    if place is None:
        raise ResetError(Reset.NONSENSE)
    return place


route = Route("/live/{view:path}", endpoint=Live(), methods=["GET"], include_in_schema=False)
