"""Downloads for Git LFS, as a program of its own that `git-lfs` speaks with: it alone opens connections.

A server of large files says itself where they are; whoever owns a repository says which server that is. Left to
`git-lfs`, a builder would ask whatever address it is told: its own machine's services, or the address at which clouds
tell their secrets. Here each connection is looked at before anything is asked, also after redirects; and what opens
the repository is shown to its own server alone.

Source: git-lfs/docs/custom-transfers.md and git-lfs/docs/api/batch.md. Needs nothing but the standard library.
"""

import base64
import hashlib
import http.client
import ipaddress
import json
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

_MEDIA_TYPE = "application/vnd.git-lfs+json"
_TIMEOUT_S = 30
_PIECE = 2**20
_LARGEST_ANSWER = 2**20
_UNAUTHORIZED = 401


class RefusedError(OSError):
    """The address is none that files are fetched from."""


def is_refused(address: str, *, loopback_allowed: bool) -> bool:
    """Tell whether an address is this machine's own, or reaches no further than its link."""
    one = _address(address)
    return one.is_link_local or one.is_unspecified or (one.is_loopback and not loopback_allowed)


def is_private(address: str) -> bool:
    """Tell whether an address is one of somebody's own network, and none of the internet's."""
    return not _address(address).is_global


def _address(written: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    found = ipaddress.ip_address(written.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return found if mapped is None else mapped


class Reach:
    """Which addresses may be asked: the internet, the own server, and private networks where that is in one."""

    def __init__(self, server: str, *, loopback_allowed: bool) -> None:
        self._own = urllib.parse.urlsplit(server).hostname
        self._loopback_allowed = loopback_allowed
        self._own_is_private = False

    def check(self, host: str, address: str) -> None:
        """Let a connection through.

        Raises:
            RefusedError: nothing may be asked there.
        """
        if is_refused(address, loopback_allowed=self._loopback_allowed):
            message = f"{host} is an address of the machine that builds"
            raise RefusedError(message)
        if not is_private(address):
            return
        if host.strip("[]").lower() == self._own:
            self._own_is_private = True
        elif not self._own_is_private:
            message = f"{host} is in a private network, and the repository is not"
            raise RefusedError(message)


def _checked(base: type[http.client.HTTPConnection], reach: Reach) -> type[http.client.HTTPConnection]:
    """Return a kind of connection that is closed before it asks what must not be asked."""

    class Checked(base):  # type: ignore[valid-type,misc] # a base that is given
        def connect(self) -> None:
            super().connect()
            try:
                reach.check(self.host, self.sock.getpeername()[0])
            except RefusedError:
                self.close()
                raise

    return Checked


class _Http(urllib.request.HTTPHandler):
    def __init__(self, reach: Reach) -> None:
        super().__init__()
        self._kind = _checked(http.client.HTTPConnection, reach)

    def http_open(self, req: urllib.request.Request) -> Any:  # noqa: ANN401 - urllib's own
        # A proxy of this machine may be on it, and looks after itself.
        return self.do_open(http.client.HTTPConnection if req.has_proxy() else self._kind, req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, reach: Reach) -> None:
        super().__init__()
        self._kind = _checked(http.client.HTTPSConnection, reach)

    def https_open(self, req: urllib.request.Request) -> Any:  # noqa: ANN401 - urllib's own
        tunnelled = getattr(req, "_tunnel_host", None) is not None
        return self.do_open(http.client.HTTPSConnection if tunnelled else self._kind, req)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows reads alone, and shows nobody else what was meant for the first."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:  # noqa: ANN401 - urllib's own
        if req.get_method() != "GET" or urllib.parse.urlsplit(newurl).scheme not in {"http", "https"}:
            return None
        followed = super().redirect_request(req, fp, code, msg, headers, newurl)
        if followed is not None and urllib.parse.urlsplit(newurl).netloc != urllib.parse.urlsplit(req.full_url).netloc:
            followed.headers.clear()
        return followed


class Agent:
    """Answers the lines that `git-lfs` writes; files are put into `folder`."""

    def __init__(self, server: str, folder: str, *, loopback_allowed: bool) -> None:
        self._server = server
        self._folder = folder
        reach = Reach(server, loopback_allowed=loopback_allowed)
        self._opener = urllib.request.build_opener(_Http(reach), _Https(reach), _Redirects())
        self._shown: dict[str, str] = {}

    def run(self, lines: IO[str], answers: IO[str]) -> None:
        for line in lines:
            asked = json.loads(line)
            match asked.get("event"):
                case "init":
                    answer: dict[str, object] = {}
                case "download":
                    answer = {"event": "complete", "oid": asked["oid"], **self._tried(asked["oid"], asked["size"])}
                case _:
                    return
            answers.write(json.dumps(answer) + "\n")
            answers.flush()

    def _tried(self, oid: str, size: int) -> Mapping[str, object]:
        try:
            return {"path": self._download(oid, size)}
        except (OSError, ValueError, http.client.HTTPException) as error:
            why = getattr(error, "reason", error)
            return {"error": {"code": 1, "message": f"{oid[:12]}: {why}"}}

    def _download(self, oid: str, size: int) -> str:
        action = self._batch(oid, size)
        url, headers = str(action["href"]), dict(action.get("header") or {})
        place, own = urllib.parse.urlsplit(url), urllib.parse.urlsplit(self._server)
        if place.scheme not in {"http", "https"}:
            message = f"{url[:200]} is no address that files are fetched from"
            raise ValueError(message)
        if place[:2] == own[:2] and not any(name.lower() == "authorization" for name in headers):
            headers |= self._shown
        digest, left = hashlib.sha256(), size
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - by HTTP, as was looked at
        with (
            self._opener.open(request, timeout=_TIMEOUT_S) as answer,
            tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file,
        ):
            while left >= 0 and (piece := answer.read(_PIECE)):
                left -= len(piece)
                digest.update(piece)
                file.write(piece)
        if left or digest.hexdigest() != oid:
            Path(file.name).unlink()
            message = "what came is not what the commit names"
            raise ValueError(message)
        return file.name

    def _batch(self, oid: str, size: int) -> Mapping[str, Any]:
        """Return where the file is, by what the server says."""
        objects = [{"oid": oid, "size": size}]
        body = json.dumps({"operation": "download", "transfers": ["basic"], "objects": objects}).encode()
        try:
            said = self._ask(body)
        except urllib.error.HTTPError as error:
            if error.code != _UNAUTHORIZED or self._shown:
                raise
            self._shown = self._credential()
            said = self._ask(body)
        found = json.loads(said)["objects"][0]
        if "error" in found:
            raise ValueError(str(found["error"].get("message"))[:200])
        action: Mapping[str, Any] = found["actions"]["download"]
        return action

    def _ask(self, body: bytes) -> bytes:
        headers = {"Accept": _MEDIA_TYPE, "Content-Type": _MEDIA_TYPE, **self._shown}
        request = urllib.request.Request(f"{self._server}/objects/batch", body, headers)  # noqa: S310 - by HTTP
        with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
            said: bytes = answer.read(_LARGEST_ANSWER)
            return said

    def _credential(self) -> dict[str, str]:
        """Ask Git for what opens the server, which it reads from a descriptor."""
        place = urllib.parse.urlsplit(self._server)
        wanted = f"protocol={place.scheme}\nhost={place.netloc}\n\n"
        command = ["git", "credential", "fill"]
        said = subprocess.run(command, input=wanted, capture_output=True, text=True, check=False, close_fds=False)  # noqa: S603 - fixed
        found = dict(line.split("=", 1) for line in said.stdout.splitlines() if "=" in line)
        if "password" not in found:
            message = "the server wants a login"
            raise ValueError(message)
        login = base64.b64encode(f"{found.get('username', '')}:{found['password']}".encode()).decode()
        return {"Authorization": f"Basic {login}"}


def main() -> None:
    server, folder, allowed = sys.argv[-3:]
    Path(folder).mkdir(parents=True, exist_ok=True)
    Agent(server, folder, loopback_allowed=allowed == "loopback").run(sys.stdin, sys.stdout)
