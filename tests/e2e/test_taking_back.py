"""A version that begins to fail after it went live is taken back by itself, and the fix takes its place as always."""

from dataclasses import dataclass
from http import HTTPStatus

from support.git_server import make_repository
from support.installations import GitHost
from support.story import Story

APP = """
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

VERSION = Path("VERSION").read_text().encode()
broken = False


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        global broken
        broken = broken or self.path == "/break"
        self.send_response(500 if broken and self.path == "/" else 200)
        self.send_header("Content-Length", str(len(VERSION)))
        self.end_headers()
        self.wfile.write(VERSION)


ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"""
COMMAND = "exec python3 server.py"
HEALTHY = {"kind": "http", "path": "/up"}


@dataclass
class Visits:
    """What a visitor saw: how often something failed, and what answered well, in the order of its first answer."""

    story: Story
    failed: int = 0

    def until(self, wanted: str) -> list[str]:
        """Ask again and again until a version answers; an answer that is lost is an error."""
        seen: list[str] = []
        while wanted not in seen:
            status, version = self.story.answer()
            if status == HTTPStatus.INTERNAL_SERVER_ERROR:
                self.failed += 1
                assert version == "2"
            else:
                assert status == HTTPStatus.OK
                seen += [version] if version not in seen else []
        return seen


def test_a_version_that_begins_to_fail_is_taken_back_and_the_next_one_takes_its_place(
    git_host: GitHost, story: Story
) -> None:
    repository = make_repository(git_host.folder / story.project, {"server.py": APP, "VERSION": "1"})
    url = f"{git_host.url}/{story.project}"
    good = story.deploy(url, start_command=COMMAND, probe=HEALTHY)
    repository.commit({"VERSION": "2"})
    failing = story.deploy(url, start_command=COMMAND, probe=HEALTHY)
    assert story.answer() == (200, "2")
    story.platform.get(story.project, "/break")
    visits = Visits(story)
    assert visits.until("1") == ["1"]
    assert visits.failed >= 20
    wishes = [one for one in story.platform.events() if one["type"] == "restore.requested.v1"]
    (wish,) = [one for one in wishes if one["data"]["before"] == failing["id"]]
    said = wish["data"]
    assert (said["to"], said["code"]) == (good["id"], "errors")
    assert "answers within a minute had a status of 500 or more." in said["reason"]
    story.platform.at_least(wish["sequence"], f"/deployments/{failing['id']}")
    explained = story.platform.windlass("explain", failing["id"])
    assert "Windlass took it back from production" in explained.stdout
    repository.commit({"VERSION": "3"})
    story.deploy(url, start_command=COMMAND, probe=HEALTHY)
    assert story.answer() == (200, "3")
