"""A cancel ends exactly that deployment's work, whatever it is at, and leaves nothing of it on the node."""

import http.client
import json
import os
import secrets
import select
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from time import time

from support.installations import GitHost
from support.platform import Platform
from support.story import Story

AT_MOST_S = 60
WORK = "echo begun; {}"


def a_long_while() -> str:
    """Return a command that nobody else runs, and that would last longer than the test."""
    return f"sleep 31{secrets.randbelow(10**7):07}"


def processes(mark: str) -> Iterator[int]:
    """Yield the processes of this machine, those in containers too, whose command line has a mark."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if mark in line and path.name != str(os.getpid()):
            yield int(path.name)


def held(mark: str) -> dict[int, int]:
    """Return descriptors of the processes with a mark, each with its process."""
    found: dict[int, int] = {}
    for one in processes(mark):
        with suppress(ProcessLookupError):
            found[os.pidfd_open(one)] = one
    return found


@dataclass
class Work:
    """What a deployment is at; its processes are known by the mark."""

    story: Story
    deployment: str
    mark: str
    running: dict[int, int] = field(default_factory=dict)

    def begun(self) -> None:
        """Wait until its log says that it was begun, and take hold of its processes."""
        profile = json.loads((self.story.platform.home / "cli.json").read_text())
        connection = http.client.HTTPConnection(profile["api_url"].removeprefix("http://"), timeout=AT_MOST_S)
        headers = {"Authorization": f"Bearer {profile['token']}"}
        asked = self.story.waited_for("build.started.v1", self.deployment)["sequence"]
        path = f"/api/v1/deployments/{self.deployment}/logs?follow=true&at_least={asked}"
        connection.request("GET", path, headers=headers)
        lines = map(json.loads, connection.getresponse())
        # What is said, and what is told to say it, are two lines.
        assert any(line["text"].endswith("begun") for line in lines), self.deployment
        connection.close()
        self.hold()

    def hold(self) -> None:
        self.running = held(self.mark)
        assert self.running, f"nothing runs {self.mark}"

    def cancel(self) -> None:
        """Cancel it, and wait until the last of its processes has ended."""
        status, answer = self.story.platform.api("POST", f"/deployments/{self.deployment}/cancel")
        assert status in {HTTPStatus.OK, HTTPStatus.ACCEPTED}, answer
        running = self.running or held(self.mark)
        while running:
            for descriptor, process in running.items():
                ended, _, _ = select.select([descriptor], [], [], AT_MOST_S)
                os.close(descriptor)
                assert ended, f"process {process} goes on"
            running = held(self.mark)  # what they had begun meanwhile

    def ended(self) -> str:
        return str(self.story.ended(self.deployment)["phase"])

    def types(self) -> set[str]:
        return set(self.story.types_of(self.deployment))


@contextmanager
def silent_host() -> Iterator[tuple[str, socket.socket]]:
    """Yield the address of a repository whose host takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(AT_MOST_S)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/{secrets.token_hex(4)}", listener


def until_removed(platform: Platform, since: float, kinds: set[str]) -> None:
    """Wait until the engine has deleted a container of each kind since then: `build`, or `pre` for pre-deploy."""
    prefix = f"windlass-{platform.installation}-"
    shown = ("--filter", "event=destroy", "--format", "{{.Actor.Attributes.name}}")
    command = ["timeout", str(AT_MOST_S), "docker", "events", "--since", f"{since:.9f}", *shown]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as events:
        assert events.stdout is not None
        while kinds and (line := events.stdout.readline()):
            kinds -= {line.removeprefix(prefix).partition("-")[0]}
        events.terminate()
    assert not kinds


def a_project(platform: Platform) -> Story:
    return Story(platform, f"app-{secrets.token_hex(3)}")


def at_a_build(platform: Platform, git_host: GitHost) -> Work:
    story, mark = a_project(platform), a_long_while()
    _, url = git_host.repository("hello-python")
    return Work(story, story.request(url, build_command=WORK.format(mark)), mark)


def at_a_dockerfile(platform: Platform, git_host: GitHost) -> Work:
    story, mark = a_project(platform), a_long_while()
    repository, url = git_host.repository("hello-python")
    runner = "windlass/runner-python:3.11"
    repository.commit({"Dockerfile": f"FROM {runner}\nRUN {WORK.format(mark)}\n"})
    return Work(story, story.request(url), mark)


def at_its_pre_deploy_command(platform: Platform, git_host: GitHost) -> Work:
    story, mark = a_project(platform), a_long_while()
    _, url = git_host.repository("hello-python")
    return Work(story, story.request(url, pre_deploy_command=WORK.format(f"exec {mark}")), mark)


AS_PROCESSES = (at_a_build, at_its_pre_deploy_command)
WAYS: dict[str, tuple[Callable[[Platform, GitHost], Work], ...]] = {
    "process": AS_PROCESSES,
    "docker": (*AS_PROCESSES, at_a_dockerfile),
}


def test_cancel_ends_what_a_deployment_is_at_and_nothing_else(platform: Platform, git_host: GitHost) -> None:
    since = time()
    other = at_a_build(platform, git_host)
    other.begun()
    with silent_host() as (url, listener):
        story = a_project(platform)
        fetching = Work(story, story.request(url), url)
        connection, _ = listener.accept()
        fetching.hold()
        waiting = at_a_build(platform, git_host)  # both places are taken
        waiting.cancel()
        assert waiting.ended() == "canceled"
        assert "build.started.v1" not in waiting.types()
        fetching.cancel()
        assert fetching.ended() == "canceled"
        connection.close()
    for way in WAYS[platform.runtime]:
        work = way(platform, git_host)
        work.begun()
        work.cancel()
        assert work.ended() == "canceled"
        assert not {"container.started.v1", "deployment.failed.v1"} & work.types()
    assert set(other.running.values()) <= set(processes(other.mark)), "what nobody canceled goes on"
    if platform.runtime == "docker":
        until_removed(platform, since, {"build", "pre"})
    other.cancel()
