"""Where somebody goes on after signing in: always somewhere on this host."""

from urllib.parse import urlencode, urlsplit

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from windlass_contracts.values import HttpPath

SIGN_IN = "/sign-in"
_HOME = "/"
_NO_PAGES = (SIGN_IN, "/live/", "/api/", "/static/")
_PATH: TypeAdapter[str] = TypeAdapter(HttpPath)


def local_path(wanted: str) -> str:
    """Return the path if it is one of this host's pages, or else the first page."""
    try:
        path = _PATH.validate_python(wanted)
    except ValidationError:
        return _HOME
    return _HOME if path.startswith(_NO_PAGES) else path


def sign_in_url(request: Request) -> str:
    """Return where to sign in, with the way back to the page that is on the screen."""
    back = local_path(_shown(request))
    return SIGN_IN if back == _HOME else f"{SIGN_IN}?{urlencode({'next': back})}"


def _shown(request: Request) -> str:
    """A part of a page is asked for by htmx, which says the address of the whole."""
    shown = request.headers.get("hx-current-url")
    if shown is None and request.method != "GET":
        return _HOME
    try:
        parts = urlsplit(str(request.url) if shown is None else shown)
    except ValueError:
        return _HOME
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
