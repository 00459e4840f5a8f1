"""The dashboard's built files: `make assets` makes them, the package carries them, `/static/` serves them for ever."""

import gzip
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Annotated

import zstandard
from fastapi import APIRouter, Header, Path, Response
from starlette.exceptions import HTTPException

PREFIX = "/static"
_YEAR_SECONDS = 31_536_000
_CACHING = f"public, max-age={_YEAR_SECONDS}, immutable"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_COMPRESSED_ALREADY = frozenset({".woff2"})


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, plain and as browsers take it; `encoded` is empty where compressing would gain nothing."""

    media_type: str
    plain: bytes
    encoded: Mapping[str, bytes] = field(default_factory=dict)

    def accepted(self, accept_encoding: str) -> tuple[str | None, bytes]:
        """Return the best encoding that a request accepts, and the body in it."""
        offered = {part.partition(";")[0].strip() for part in accept_encoding.split(",") if "q=0" not in part}
        found = next((name for name in self.encoded if name in offered), None)
        return (None, self.plain) if found is None else (found, self.encoded[found])


def _asset(name: str, content: bytes) -> Asset:
    suffix = PurePosixPath(name).suffix
    if suffix in _COMPRESSED_ALREADY:
        return Asset(_TYPES[suffix], content)
    encoded = {
        "zstd": zstandard.ZstdCompressor(level=12).compress(content),
        "gzip": gzip.compress(content, 9, mtime=0),
    }
    return Asset(_TYPES[suffix], content, encoded)


@dataclass(frozen=True, slots=True)
class Assets:
    """All of them in memory: by the name in the address, and that name by the one in templates."""

    by_address: Mapping[str, Asset]
    names: Mapping[str, str]
    icons: frozenset[str]

    def address(self, name: str) -> str:
        """Return where a file answers; a name that was not built is a mistake in a template."""
        return f"{PREFIX}/{self.names[name]}"

    def icon(self, name: str) -> str:
        """Return where an icon answers; one that is not in web/icons.txt is a mistake in a template."""
        if name not in self.icons:
            msg = f"the icon {name} is not in web/icons.txt"
            raise LookupError(msg)
        return f"{self.address('icons.svg')}#{name}"


@cache
def assets() -> Assets:
    """Return what `make assets` built."""
    folder = files("windlass_gateway") / "static"
    listed = json.loads((folder / "manifest.json").read_text("utf-8"))["files"]
    names = {name: entry["file"] for name, entry in listed.items()}
    by_address = {file: _asset(file, (folder / file).read_bytes()) for file in names.values()}
    sprite = by_address[names["icons.svg"]].plain.decode()
    return Assets(by_address, names, frozenset(re.findall(r'<symbol id="([^"]+)"', sprite)))


router = APIRouter(prefix=PREFIX, include_in_schema=False)


@router.get("/{name}")
async def static_file(
    name: Annotated[str, Path(max_length=100)], accept_encoding: Annotated[str, Header()] = ""
) -> Response:
    """Answer with a built file; its address has its hash in it, so that it is kept for ever."""
    asset = assets().by_address.get(name)
    if asset is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "There is no such file.")
    encoding, body = asset.accepted(accept_encoding)
    headers = {"Cache-Control": _CACHING, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
    if encoding is not None:
        headers["Content-Encoding"] = encoding
    return Response(body, media_type=asset.media_type, headers=headers)
