"""`/sign-in` and `/sign-out`.

Opening a link only shows a button, for programs open links too, to preview or to check them; the button uses it up.
"""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from windlass_gateway.domain.refusals import ForgedFormError
from windlass_gateway.entrypoints.access.local_path import SIGN_IN, local_path
from windlass_gateway.entrypoints.access.same_origin import is_same_origin
from windlass_gateway.entrypoints.access.sessions import Session, forgotten
from windlass_gateway.entrypoints.access.visitor import AVisitor, is_secure, session_of
from windlass_gateway.entrypoints.context import AContext
from windlass_gateway.entrypoints.pages.rendering import render
from windlass_gateway.entrypoints.security_headers import hand_over

router = APIRouter(include_in_schema=False)

_LONGEST_TOKEN = 200
_LONGEST_PATH = 2_000

# A part that is too long is nobody's: the page says so like that of any other wrong one.


@router.get(SIGN_IN)
async def sign_in_page(
    request: Request, shared: AContext, token: str = "", wanted: Annotated[str, Query(alias="next")] = ""
) -> Response:
    """Show the button that signs in, or without a link how to get one."""
    back = local_path(wanted[: _LONGEST_PATH + 1])
    if session_of(shared, request) is not None:  # whose link may well be the one that was just used
        return RedirectResponse(back, HTTPStatus.SEE_OTHER)
    if token:
        await shared.signing_in.look(token[: _LONGEST_TOKEN + 1])
    return render(request, "pages/sign-in.html", token=token, next=back)


@router.post(SIGN_IN)
async def sign_in(
    request: Request,
    shared: AContext,
    token: Annotated[str, Form()] = "",
    wanted: Annotated[str, Form(alias="next")] = "",
) -> Response:
    """Use the link up, and begin a session."""
    if not is_same_origin(request.headers):
        raise ForgedFormError("Your browser says that another site sent it.")
    used = await shared.signing_in.use(token[: _LONGEST_TOKEN + 1])
    session = Session.begun(used.person, used.team, shared.gateway.clock())
    hand_over(request, shared.sessions.cookie(session, secure=is_secure(request)))
    return RedirectResponse(local_path(wanted[: _LONGEST_PATH + 1]), HTTPStatus.SEE_OTHER)


@router.post("/sign-out")
async def sign_out(request: Request, _: AVisitor) -> Response:
    """Take the session away from this browser."""
    hand_over(request, forgotten(secure=is_secure(request)))
    return RedirectResponse(SIGN_IN, HTTPStatus.SEE_OTHER)
