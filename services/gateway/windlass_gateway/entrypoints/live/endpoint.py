"""`/live/{view}`: what changes on a page, as it changes."""

from typing import cast

from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from windlass_gateway.entrypoints.context import Context
from windlass_gateway.entrypoints.live.place import Place
from windlass_gateway.entrypoints.live.reset import Reset, ResetError
from windlass_gateway.entrypoints.live.session import signed_in
from windlass_gateway.entrypoints.live.stream import finish, start, stream
from windlass_gateway.entrypoints.live.views import find_view

LAST_EVENT_ID = "last-event-id"


class Live:
    """The endpoint, as an ASGI application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        shared = cast("Context", request.app.state.context)
        view = await find_view(shared, signed_in(request, shared), request.path_params["view"], request.query_params)
        try:
            last = last_seen(request.headers, request.query_params)
            async with shared.hub.watching(view, last) as viewer:
                await start(send)
                await stream(viewer, receive, send)
        except ResetError as reset:
            await start(send)
            await finish(send, reset.body)


def last_seen(headers: Headers, query: QueryParams) -> Place | None:
    """Return behind what the client goes on: what it received last counts before where its page stood.

    Raises:
        ResetError: it is nonsense.
    """
    written = headers.get(LAST_EVENT_ID) or query.get("after")
    if not written:
        return None
    place = Place.parse(written)
    if place is None:
        raise ResetError(Reset.NONSENSE)
    return place


route = Route("/live/{view:path}", endpoint=Live(), methods=["GET"], include_in_schema=False)
