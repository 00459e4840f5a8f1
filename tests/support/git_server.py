"""A real Git repository and real servers for it: the smart protocol over HTTP, and plain files over HTTP."""

import json
import os
import subprocess
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

_IDENTITY = {
    f"GIT_{role}_{part}": f"test@{role}.invalid" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")
}
_CLEAN = {"PATH": os.environ["PATH"], "HOME": os.devnull, "GIT_CONFIG_GLOBAL": os.devnull, **_IDENTITY}


@dataclass(frozen=True)
class Repository:
    """A repository with a worktree, to which a test commits."""

    folder: Path

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.folder), *arguments]
        return subprocess.run(command, check=True, env=_CLEAN, capture_output=True, text=True).stdout.strip()

    def commit(self, files: Mapping[str, str]) -> str:
        """Commit the files on the current branch and return the SHA."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "change")
        self.git("update-server-info")
        return self.git("rev-parse", "HEAD")


def make_repository(folder: Path, files: Mapping[str, str]) -> Repository:
    folder.mkdir(parents=True)
    repository = Repository(folder)
    repository.git("init", "--quiet", "--initial-branch=main")
    repository.commit(files)
    return repository


@dataclass
class Door:
    """Who is let in below `/private/`, and what was seen of those who came; `moved` is where `/moved/` leads."""

    user: str = ""
    password: str = ""
    moved: str = ""
    shown: list[str] = field(default_factory=list)
    """The logins that came."""
    watch: Callable[[], None] = lambda: None
    """Called with each request."""

    def lets_in(self, header: str) -> bool:
        if header:
            self.shown.append(b64decode(header.removeprefix("Basic ")).decode())
        return bool(self.password) and self.shown[-1:] == [f"{self.user}:{self.password}"] and bool(header)


def _large_file(root: Path, here: str, asked: dict[str, object]) -> dict[str, object]:
    if not (root / "large" / str(asked["oid"])).exists():
        return {**asked, "error": {"code": 404, "message": "There is no such object."}}
    elsewhere = root / "large" / "elsewhere"
    place = elsewhere.read_text() if elsewhere.exists() else here
    return {**asked, "actions": {"download": {"href": f"{place}/{asked['oid']}"}}}


@contextmanager
def smart_http(root: Path, door: Door | None = None, port: int = 0) -> Iterator[str]:  # noqa: C901 - in one piece
    """Serve the repositories below `root` by `git http-backend`, on a free port by default; yield the base URL.

    What lies below its folder `private` is for whom the door lets in.
    """
    doorkeeper = door or Door()

    class Backend(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def _answer(self, body: bytes) -> None:
            path, _, query = self.path.partition("?")
            doorkeeper.watch()
            if path.startswith("/moved/"):
                self.send_response(302)
                self.send_header("Location", doorkeeper.moved + self.path.removeprefix("/moved"))
                self.end_headers()
                return
            if path.startswith("/private/") and not doorkeeper.lets_in(self.headers.get("Authorization", "")):
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="private"')
                self.end_headers()
                return
            if "/lfs/" in path:
                self._large_files(path, body)
                return
            environment = {
                **_CLEAN,
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "CONTENT_LENGTH": str(len(body)),
            }
            said = subprocess.run(
                ["git", "http-backend"], input=body, env=environment, capture_output=True, check=False
            )
            head, _, content = said.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(headers.pop("Status", "200 OK").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def _large_files(self, path: str, body: bytes) -> None:
            """Answer as a server of Git LFS: what it has lies beside the repositories, in `large`, by its digest."""
            if path.endswith("/objects/batch"):
                here = f"http://{self.headers['Host']}{path.removesuffix('/objects/batch')}"
                objects = [_large_file(root, here, one) for one in json.loads(body)["objects"]]
                answer = json.dumps({"transfer": "basic", "objects": objects})
                self._send(answer.encode(), "application/vnd.git-lfs+json")
                return
            found = root / "large" / path.rsplit("/", 1)[1]
            if found.exists():
                self._send(found.read_bytes(), "application/octet-stream")
            else:
                self.send_error(404)

        def _send(self, content: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with _served(Backend, port) as url:
        yield url


@contextmanager
def dumb_http(root: Path) -> Iterator[str]:
    """Serve the files below `root`; Git then reads the repository's own files, branches only."""

    class Files(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with _served(partial(Files, directory=str(root))) as url:
        yield url


@contextmanager
def _served(handler: Callable[..., BaseHTTPRequestHandler], port: int = 0) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
