"""The web application: everything that answers HTTP, put together."""

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts

from windlass_gateway.entrypoints import (
    audit,
    dead_letters,
    deployments,
    health,
    inspections,
    keys,
    operations,
    projects,
    streams,
    variables,
)
from windlass_gateway.entrypoints.access import links, sign_in, tokens
from windlass_gateway.entrypoints.audited import Audited
from windlass_gateway.entrypoints.body_limit import BodyLimit
from windlass_gateway.entrypoints.context import Context
from windlass_gateway.entrypoints.live import endpoint as live
from windlass_gateway.entrypoints.live import log_tail
from windlass_gateway.entrypoints.own_hosts import OwnHosts
from windlass_gateway.entrypoints.pages.errors import answer_problem
from windlass_gateway.entrypoints.pages.routes import ROUTERS
from windlass_gateway.entrypoints.problems import MEDIA_TYPE, Problem, map_errors
from windlass_gateway.entrypoints.security_headers import SecurityHeaders
from windlass_gateway.entrypoints.webhooks import github, setup, standard

API = "/api/v1"

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "content": {MEDIA_TYPE: {}}, "description": description}
    for status, description in (
        (401, "no token, or a wrong one"),
        (403, "the token may not do that"),
        (404, "there is nothing under that name"),
        (409, "the state of things does not allow it"),
        (413, "too many bytes"),
        (422, "a field is not valid"),
        (503, "the log does not answer, or reading it lags behind"),
    )
}


def web(context: Context) -> FastAPI:
    """Return the application."""
    app = FastAPI(
        title="Windlass",
        summary="Deploy commits, watch them go live, go back.",
        version="1",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,  # its pages would load their scripts from elsewhere
        redoc_url=None,
    )
    app.state.context = context
    api = APIRouter(prefix=API, responses=_PROBLEMS)
    for part in (
        deployments,
        dead_letters,
        projects,
        variables,
        inspections,
        streams,
        health,
        links,
        tokens,
        keys,
        setup,
        operations,
        audit,
    ):
        api.include_router(part.router)
    app.include_router(api)
    app.include_router(github.router)
    app.include_router(standard.router)
    app.include_router(health.probes)
    for router in (sign_in.router, *ROUTERS):
        app.include_router(router)
    app.router.routes.extend([log_tail.route, live.route])
    app.add_middleware(BodyLimit, larger={github.PATH: github.MAX_BYTES})
    app.add_middleware(OwnHosts, own=context.places.own_host)
    app.add_middleware(SecurityHeaders)  # the last one is the outermost: refusals of the others carry them too
    app.add_middleware(Audited, auditing=context.auditing, templates=templates_of(app))
    map_errors(app, answer_problem)
    return app


def templates_of(app: FastAPI) -> dict[object, str]:
    """Return the paths of all endpoints as they are written here: with the names of their parts, without values."""
    return {route.endpoint: route.path for route in iter_route_contexts(app.router.routes) if route.path}
