"""Where large files are fetched from is looked at before anything is asked there, and what comes is checked."""

import hashlib
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from windlass_builder.adapters.git.lfs_agent import Agent, Reach, RefusedError, is_private, is_refused

CONTENT = b"large" * 1_000
OID = hashlib.sha256(CONTENT).hexdigest()


@contextmanager
def lfs_server(href: str, content: bytes = CONTENT) -> Iterator[tuple[str, list[str]]]:
    """Yield a server's address, and what it was asked; `href` is where it says that files are."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(f"{self.path} {self.headers.get('Authorization')}")
            place = href.format(here=f"http://{self.headers['Host']}")
            actions = {"download": {"href": place, "header": {"Authorization": "of the file"}}}
            self._answer(json.dumps({"objects": [{"oid": OID, "actions": actions}]}).encode())

        def do_GET(self) -> None:
            asked.append(f"{self.path} {self.headers.get('Authorization')}")
            if self.path.startswith("/to/"):
                self.send_response(302)
                self.send_header("Location", self.path.removeprefix("/to/"))
                self.end_headers()
                return
            self._answer(content)

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def told(folder: Path, server: str, *, loopback_allowed: bool = True) -> dict[str, Any]:
    """Return what the agent answers to the request for a file."""
    lines = [{"event": "init"}, {"event": "download", "oid": OID, "size": len(CONTENT)}, {"event": "terminate"}]
    answers = io.StringIO()
    agent = Agent(server, str(folder), loopback_allowed=loopback_allowed)
    agent.run(io.StringIO("".join(json.dumps(line) + "\n" for line in lines)), answers)
    first, second = answers.getvalue().splitlines()
    assert json.loads(first) == {}
    found: dict[str, Any] = json.loads(second)
    return found


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")


def test_file_is_fetched_from_where_the_server_says(tmp_path: Path) -> None:
    with lfs_server("{here}/file") as (server, asked):
        found = told(tmp_path, server)
    assert Path(found["path"]).read_bytes() == CONTENT
    assert asked == ["/objects/batch None", "/file of the file"]


@pytest.mark.parametrize("href", ["file:///etc/passwd", "{here}/to/file:///etc/passwd", "ftp://x/y", "//x"])
def test_file_is_fetched_from_nowhere_else(tmp_path: Path, href: str) -> None:
    with lfs_server(href) as (server, _):
        assert "error" in told(tmp_path, server)
    assert list(tmp_path.iterdir()) == []


def test_this_machine_is_asked_for_nothing_unless_that_is_allowed(tmp_path: Path) -> None:
    with lfs_server("{here}/file") as (server, asked):
        found = told(tmp_path, server, loopback_allowed=False)
    assert "the machine that builds" in found["error"]["message"]
    assert asked == []


def test_what_is_meant_for_one_host_is_not_shown_to_where_it_leads(tmp_path: Path) -> None:
    with lfs_server("") as (elsewhere, seen), lfs_server(f"{{here}}/to/{elsewhere}/file") as (server, _):
        assert "path" in told(tmp_path, server)
    assert seen == ["/file None"]


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"x", b"L" + CONTENT[1:]])
def test_what_is_not_what_the_commit_names_is_thrown_away(tmp_path: Path, content: bytes) -> None:
    with lfs_server("{here}/file", content) as (server, _):
        assert "not what the commit names" in told(tmp_path, server)["error"]["message"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("address", "refused"),
    [
        ("169.254.169.254", True),
        ("fe80::1%eth0", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:169.254.169.254", True),
        ("0.0.0.0", True),  # noqa: S104 - nothing is bound
        ("::1", True),
        ("10.0.0.1", False),
        ("93.184.216.34", False),
    ],
)
def test_own_addresses_are_told_apart(address: str, *, refused: bool) -> None:
    assert is_refused(address, loopback_allowed=False) is refused


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("10.192.0.2", True),
        ("192.168.1.1", True),
        ("172.16.0.1", True),
        ("100.64.0.1", True),
        ("fd00::1", True),
        ("::ffff:10.0.0.1", True),
        ("93.184.216.34", False),
        ("2606:4700::1", False),
    ],
)
def test_addresses_of_private_networks_are_told_apart(address: str, *, private: bool) -> None:
    assert is_private(address) is private


def test_a_repository_of_the_internet_leads_into_no_private_network() -> None:
    reach = Reach("https://git.example.com/app.git/info/lfs", loopback_allowed=False)
    reach.check("git.example.com", "93.184.216.34")
    reach.check("files.example.com", "93.184.216.35")
    for address in ("10.192.0.2", "192.168.1.1", "fd00::1"):
        with pytest.raises(RefusedError, match="private network"):
            reach.check("files.example.com", address)
    with pytest.raises(RefusedError, match="machine that builds"):
        reach.check("files.example.com", "169.254.169.254")


def test_a_repository_of_a_private_network_may_have_its_files_beside_it() -> None:
    reach = Reach("https://git.corp/app.git/info/lfs", loopback_allowed=False)
    reach.check("GIT.corp", "10.0.0.1")
    reach.check("files.corp", "10.0.0.2")
    for address in ("169.254.169.254", "127.0.0.1"):
        with pytest.raises(RefusedError, match="machine that builds"):
            reach.check("files.corp", address)
