"""Whether a request comes from the dashboard's own pages, as far as the browser says so.

Apps answer on sibling hosts, so `same-site` proves nothing: only `same-origin` does.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers

_OWN = frozenset({"same-origin", "none"})
"""`none` is what somebody typed or opened themselves."""


def is_same_origin(headers: Headers) -> bool:
    """Return whether nothing says that the request comes from elsewhere; clients that say nothing are not browsers."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site not in _OWN:
        return False
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""
    except ValueError:
        return False
