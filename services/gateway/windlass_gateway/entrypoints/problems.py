"""Errors become answers here, once, and nowhere else: RFC 9457 problem documents."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from windlass_contracts.errors import ContractError
from windlass_eventlog.errors import (
    ConflictError,
    EventLogError,
    HaltedError,
    KeysUnusableError,
    LogFullError,
    LogUnavailableError,
    NotReachedError,
    RowsUnavailableError,
    StoreFullError,
)
from windlass_gateway.domain.refusals import (
    ForbiddenError,
    InvalidInputError,
    LinkError,
    NotFoundError,
    NotNowError,
    QuotaError,
    Refusal,
    SignInRequiredError,
    UnauthenticatedError,
)
from windlass_gateway.entrypoints.access.local_path import sign_in_url
from windlass_gateway.entrypoints.audited import refused_for
from windlass_gateway.entrypoints.codes import code_of
from windlass_gateway.entrypoints.security_headers import SECURITY_HEADERS

MEDIA_TYPE = "application/problem+json"
_SHOWN = 200
_STREAMS = "/live/"

_log = structlog.get_logger(__name__)


class Problem(BaseModel):
    """What went wrong, in which field, and what to do next; `code` is what programs and `windlass audit` know it by."""

    title: str
    status: int
    detail: str
    field: str | None = None
    next: str
    code: str = "unforeseen"


_REFUSALS: dict[type[Refusal], HTTPStatus] = {
    InvalidInputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    LinkError: HTTPStatus.GONE,
    NotFoundError: HTTPStatus.NOT_FOUND,
    QuotaError: HTTPStatus.TOO_MANY_REQUESTS,
    NotNowError: HTTPStatus.CONFLICT,
}

_LOG_ERRORS: dict[type[EventLogError], tuple[HTTPStatus, str, str]] = {
    ConflictError: (
        HTTPStatus.CONFLICT,
        "Others changed the same thing at the same moment, several times in a row.",
        "Send the request again.",
    ),
    LogUnavailableError: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The event log did not answer in time; it is not known whether the request was taken.",
        "Send it again with the same Idempotency-Key: it is never done twice. `windlass doctor` shows what is down.",
    ),
    LogFullError: (
        HTTPStatus.INSUFFICIENT_STORAGE,
        "The event log has used up the space that it was given: nothing more can be taken.",
        "Give the stream EVENTS a larger byte budget: `nats stream edit EVENTS --max-bytes 16GiB`.",
    ),
    StoreFullError: (
        HTTPStatus.INSUFFICIENT_STORAGE,
        "The store of uploads has no room for it: what retained deployments were made of fills it.",
        "Keep fewer releases, and run `windlass gc`; or give it more: `nats stream edit OBJ_OBJECTS --max-bytes 8GiB`.",
    ),
    NotReachedError: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The answer would not show what was just done: reading the log lags behind by more than 2 seconds.",
        "Ask again in a moment.",
    ),
    RowsUnavailableError: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The gateway's database did not answer in time.",
        "Ask again in a moment; `windlass doctor` shows what is down.",
    ),
}

_UNEXPECTED = Problem(
    title="Something went wrong here",
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
    detail="The request met an error that nobody foresaw; the gateway's log has the details.",
    next="Send the request again; if it fails again, report it with the lines of the gateway's log.",
)


def problem_of(error: Exception) -> Problem:
    """Return what an error means to whoever asked."""
    problem = _problem(error)
    return problem if problem is _UNEXPECTED else problem.model_copy(update={"code": code_of(error)})


def _problem(error: Exception) -> Problem:
    match error:
        case Refusal():
            status = next(status for kind, status in _REFUSALS.items() if isinstance(error, kind))
            return Problem(
                title=error.title, status=status, detail=error.detail, field=error.field, next=error.next_step
            )
        case EventLogError():
            return _log_error(error)
        case ContractError():
            return _unreadable(error)
        case RequestValidationError():
            return _invalid(error)
        case HTTPException():
            return _http(error)
        case _:
            return _UNEXPECTED


def _log_error(error: EventLogError) -> Problem:
    if isinstance(error, HaltedError):
        status = HTTPStatus.SERVICE_UNAVAILABLE
        return Problem(title="Reading the log stands still", status=status, detail=str(error), next=error.way_out)
    if isinstance(error, KeysUnusableError):
        unavailable = HTTPStatus.SERVICE_UNAVAILABLE
        return Problem(title=unavailable.phrase, status=unavailable, detail=error.detail, next=error.next_step)
    found = next((answer for kind, answer in _LOG_ERRORS.items() if isinstance(error, kind)), None)
    if found is None:
        return _UNEXPECTED
    status, detail, next_step = found
    return Problem(title=status.phrase, status=status, detail=detail, next=next_step)


def _unreadable(error: ContractError) -> Problem:
    """An event of this request would break the contract's bounds: too large, most likely."""
    return Problem(
        title=InvalidInputError.title,
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        detail=str(error)[:_SHOWN],
        next="Ask for less at once: shorter commands, fewer variables.",
    )


def _invalid(error: RequestValidationError) -> Problem:
    """Name the first field that does not fit, and why; never its value, which may be a secret."""
    first: dict[str, Any] = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part not in {"body", "query", "path", "header"})[:_SHOWN]
    why = str(first["msg"]).removeprefix("Value error, ")
    return Problem(
        title=InvalidInputError.title,
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        detail=(f"{place}: {why}" if place else why)[:_SHOWN],
        field=place or None,
        next="Correct the field; /api/v1/openapi.json describes every one.",
    )


_NEXT = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Send less at once; variables can be set one by one.",
    HTTPStatus.BAD_REQUEST: "Send a body of JSON, in UTF-8, with `Content-Type: application/json`.",
}


def _http(error: HTTPException) -> Problem:
    phrase = HTTPStatus(error.status_code).phrase
    return Problem(
        title=phrase,
        status=error.status_code,
        detail=str(error.detail)[:_SHOWN],
        next=_NEXT.get(HTTPStatus(error.status_code), "/api/v1/openapi.json lists every path, and what each takes."),
    )


def answer(problem: Problem) -> JSONResponse:
    """Return a problem as a response."""
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == HTTPStatus.UNAUTHORIZED else None
    return JSONResponse(problem.model_dump(), problem.status, headers, media_type=MEDIA_TYPE)


def _to_sign_in(request: Request) -> Response:
    """Send a browser to sign in; what a script asks for would follow, and take that page for the answer."""
    url = sign_in_url(request)
    if "hx-request" in request.headers or request.url.path.startswith(_STREAMS):
        return Response(status_code=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": url})
    return RedirectResponse(url, HTTPStatus.SEE_OTHER)


def _guarded(response: Response) -> Response:
    """Add what the middleware adds to all other answers: unforeseen errors are answered outside of it."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def map_errors(app: FastAPI, shown: Callable[[Request, Problem], Response]) -> None:
    """Let every error of the application end as a problem, `shown` in the form that the request can use."""

    async def answer_error(request: Request, error: Exception) -> Response:
        problem = problem_of(error)
        refused_for(request, problem.code)
        if isinstance(error, SignInRequiredError):
            return _to_sign_in(request)
        if problem is not _UNEXPECTED:
            return shown(request, problem)
        _log.exception("a request met an unforeseen error", exc_info=error)
        return _guarded(shown(request, problem))

    for kind in (Refusal, EventLogError, ContractError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, answer_error)
