"""Who visits a page: somebody with a session, or nobody, who is sent to sign in.

    async def page(visitor: AVisitor) -> Response: ...

A request that changes something is let through only with the session's own CSRF token, from our own pages.
"""

import hmac
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from windlass_gateway.application.access import Caller
from windlass_gateway.domain.refusals import ForgedFormError, SignInRequiredError
from windlass_gateway.entrypoints.access.same_origin import is_same_origin
from windlass_gateway.entrypoints.access.sessions import Opened
from windlass_gateway.entrypoints.audited import asks
from windlass_gateway.entrypoints.context import AContext, Context
from windlass_gateway.entrypoints.security_headers import hand_over

CSRF_FIELD = "csrf"
CSRF_HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in; `csrf` goes into every form (`csrf`) and every htmx request (`X-CSRF-Token`)."""

    caller: Caller
    csrf: str


def is_secure(connection: HTTPConnection) -> bool:
    """Return whether the browser speaks https; the proxy in front of us says so."""
    return connection.url.scheme == "https"


def session_of(shared: Context, connection: HTTPConnection) -> Opened | None:
    """Return the session of a request, for endpoints that are no handlers of the framework."""
    return shared.sessions.opened(connection.cookies, secure=is_secure(connection))


async def visitor(request: Request, shared: AContext) -> Visitor:
    """Return who visits.

    Raises:
        SignInRequiredError: nobody who is signed in.
        ForgedFormError: the request would change something, and does not come from a page of theirs.
    """
    opened = session_of(shared, request)
    if opened is None:
        raise SignInRequiredError
    asks(request, opened.caller.actor)
    if request.method not in _SAFE:
        await _check_form(request, opened.session.csrf)
    renewed = shared.sessions.renewed(opened, secure=is_secure(request))
    if renewed is not None:
        hand_over(request, renewed)
    found = Visitor(opened.caller, opened.session.csrf)
    request.state.visitor = found  # for the page of an error
    return found


AVisitor = Annotated[Visitor, Depends(visitor)]


async def _check_form(request: Request, csrf: str) -> None:
    if not is_same_origin(request.headers):
        raise ForgedFormError("Your browser says that another site sent it.")
    given = request.headers.get(CSRF_HEADER) or await _field(request)
    if not hmac.compare_digest(given.encode(errors="surrogatepass"), csrf.encode()):
        raise ForgedFormError("It does not carry the token of your session: the page is older than that, or not ours.")


async def _field(request: Request) -> str:
    """Return what the form's own field says; a form with files in it sends the header."""
    if not request.headers.get("content-type", "").startswith(_FORM):
        return ""
    value = (await request.form()).get(CSRF_FIELD, "")
    return value if isinstance(value, str) else ""
