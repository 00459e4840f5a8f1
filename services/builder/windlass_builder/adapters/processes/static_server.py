"""Serves files on $PORT where apps run as plain processes: `windlass-static [--single] [FOLDER...]`.

It stands in for the nginx of the static runner, by the same rules, but compresses nothing and answers no ranges: for
trying out. Of several folders the first that has an index.html is taken; without any it is the folder where it is
started. `--single` answers addresses that name no file with /index.html. Standard library only: it is copied.
"""

import os
import re
import sys
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote, urlsplit

_HIDDEN = re.compile(r"/\.(?!well-known(/|$))")
_HASHED = re.compile(
    r"/(assets|_astro|_next/static|static/(js|css|media))/.*[.-][0-9A-Za-z_-]{8,}\.[0-9a-z]+", re.DOTALL
)
_NEVER_CHANGES = "public, max-age=31536000, immutable"


class Pages(SimpleHTTPRequestHandler):
    """Answers GET and HEAD with the files below `root`; 404.html, or with `single` index.html, where there is none."""

    root: ClassVar[Path]
    single: ClassVar[bool]
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "windlass-static", ""
    timeout = 75
    _caching = "no-cache"

    def send_head(self) -> BufferedReader | None:
        """Send the headers of the file that the address names, and return the file."""
        address = unquote(urlsplit(self.path).path)
        folder = self._inside(address)
        if folder is not None and folder.is_dir() and not address.endswith("/"):
            self.send_response(HTTPStatus.MOVED_PERMANENTLY)
            self.send_header("Location", f"{urlsplit(self.path).path.replace('//', '/')}/")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        found = self._file(address) or (self._file("/index.html") if self.single else None)
        if found is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        self._caching = _NEVER_CHANGES if _HASHED.fullmatch(address) else "no-cache"
        self._chosen = found
        head = super().send_head()
        return head if isinstance(head, BufferedReader) else None

    def translate_path(self, path: str) -> str:
        """Return the file that was chosen: the base class's own way of finding one is not ours."""
        del path
        return str(self._chosen)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", self._caching)
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with the pages' own 404.html, if they have one."""
        page = self._file("/404.html") if code == HTTPStatus.NOT_FOUND else None
        if page is None:
            super().send_error(code, message, explain)
            return
        content = page.read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def guess_type(self, path: str | os.PathLike[str]) -> str:
        kind = super().guess_type(path)
        return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name of it
        """Write nothing down for each request."""

    def _file(self, address: str) -> Path | None:
        for name in (f"{address}index.html",) if address.endswith("/") else (address, f"{address}.html"):
            file = self._inside(name)
            if file is not None and file.is_file():
                return file
        return None

    def _inside(self, address: str) -> Path | None:
        """Return what the address names, if it is there, unless it is hidden, lies outside, or is behind a link."""
        if _HIDDEN.search(address) or "\0" in address:
            return None
        named = Path(os.path.normpath(f"{self.root}/{address}"))
        try:
            path = named.resolve(strict=True)
        except (OSError, RuntimeError):  # there is none, and can be none of a name too long, or of links in a circle
            return None
        return path if path == named and path.is_relative_to(self.root) else None


def main(arguments: list[str]) -> None:
    """Serve until stopped."""
    Pages.single = arguments[:1] == ["--single"]
    folders = arguments[1:] if Pages.single else arguments
    pages = [Path(folder) for folder in folders or ["."] if Path(folder, "index.html").is_file()]
    port = os.environ.get("PORT", "")
    if not port.isdecimal():
        sys.exit("windlass-static: the variable PORT does not name a port")
    if not pages:
        sys.exit(f"windlass-static: there is no index.html in: {' '.join(folders or ['.'])}; name the pages' folder")
    Pages.root = pages[0].resolve()
    sys.stderr.write(f"Serving {Pages.root} on port {port}\n")
    sys.stderr.flush()
    ThreadingHTTPServer(("", int(port)), Pages).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
