"""All endpoints. They are made once in a process, which takes half a second, for they know of no context."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from fastapi import APIRouter
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute

from windlass_gateway.entrypoints import (
    audit,
    credentials,
    dead_letters,
    deployments,
    domains,
    health,
    inspections,
    keys,
    nodes,
    operations,
    projects,
    run_frames,
    runs,
    series,
    streams,
    uploads,
    variables,
    volumes,
)
from windlass_gateway.entrypoints.access import links, sign_in, tokens
from windlass_gateway.entrypoints.live import endpoint as live
from windlass_gateway.entrypoints.live import log_tail
from windlass_gateway.entrypoints.pages.routes import ROUTERS
from windlass_gateway.entrypoints.problems import MEDIA_TYPE, Problem
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


@cache
def endpoints() -> Sequence[BaseRoute]:
    """Return what an application routes requests to, in the order in which it tries them."""
    every = APIRouter()
    every.include_router(_api())
    for router in (github.router, standard.router, health.probes, sign_in.router, *ROUTERS):
        every.include_router(router)
    return [*every.routes, log_tail.route, live.route]


@cache
def templates() -> Mapping[object, str]:
    """Return the paths of all endpoints as they are written here: with the names of their parts, without values."""
    return {route.endpoint: route.path for route in iter_route_contexts(endpoints()) if route.path}


def _api() -> APIRouter:
    api = APIRouter(prefix=API, responses=_PROBLEMS)
    for part in (
        deployments,
        dead_letters,
        projects,
        series,
        variables,
        volumes,
        credentials,
        domains,
        uploads,
        inspections,
        runs,
        run_frames,
        streams,
        health,
        links,
        tokens,
        keys,
        setup,
        operations,
        nodes,
        audit,
    ):
        api.include_router(part.router)
    return api
