"""Who opens a stream."""

from starlette.requests import Request

from windlass_gateway.application.access import Caller
from windlass_gateway.domain.refusals import SignInRequiredError
from windlass_gateway.entrypoints.access.visitor import session_of
from windlass_gateway.entrypoints.context import Context


def signed_in(request: Request, shared: Context) -> Caller:
    """Return whose session the request carries.

    Raises:
        SignInRequiredError: it carries none.
    """
    session = session_of(shared, request)
    if session is None:
        raise SignInRequiredError
    return session.caller
