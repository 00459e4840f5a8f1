"""Two builders of one installation: they share the queue, nothing is built twice, and neither death nor a cancel
reaches what is not concerned."""

import os
import secrets
import signal
import time
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from support.gate import gate
from support.git_server import make_repository, smart_http
from support.installations import read_example
from support.platform import Platform
from support.ports import free_port

ENDS = {f"deployment.{end}.v1" for end in ("live", "failed", "canceled", "superseded")}
BUILDERS = {"builder", "builder-2"}

Event = Mapping[str, Any]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("windlass-builders")
    environment = {"WINDLASS_LOOPBACK_REPOSITORIES": "true", "WINDLASS_BUILDERS": str(len(BUILDERS))}
    with Platform(folder / "home", free_port(), "process", environment) as running:
        yield running


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("git")
    with smart_http(folder) as url:
        make_repository(folder / "app", read_example("hello-python"))
        yield f"{url}/app"


def deploy(platform: Platform, repository: str, command: str, **also: object) -> str:
    body = {
        "git": repository,
        "project": f"app-{secrets.token_hex(3)}",
        "config": {"build_command": command, "start_command": "python3 server.py"},
        **also,
    }
    status, answer = platform.api("POST", "/deployments", body)
    assert status == HTTPStatus.ACCEPTED, answer
    return str(answer["deployment"])


def told(platform: Platform, wanted: set[str], until: Mapping[str, str] | set[str]) -> list[Event]:
    """Return the events of some deployments, until each of them had one of those that are waited for."""
    missing, events = set(wanted), []
    for event in platform.follow_events():
        if event["about"] in wanted:
            events.append(event)
            if event["type"] in until:
                missing.discard(event["about"])
            if not missing:
                return events
    raise AssertionError(f"{missing} never had one of {until}")


def of(events: list[Event], deployment: str, kind: str) -> list[Event]:
    return [event for event in events if event["about"] == deployment and event["type"] == kind]


def test_what_a_killed_builder_was_at_is_built_once_by_the_other(platform: Platform, repository: str) -> None:
    with gate() as (waits, opened):
        wanted = {deploy(platform, repository, f"{waits}; echo {number}") for number in range(4)}
        told(platform, wanted, {"build.started.v1"})  # two builders with two builds each
        os.kill(platform.up.services()["wl-builder-2"], signal.SIGKILL)
        opened.set()
        events = told(platform, wanted, ENDS)
    attempts = [len(of(events, one, "build.started.v1")) for one in wanted]
    assert max(attempts) == 2
    assert min(attempts) == 1, "the other builder's builds went on"
    for one in wanted:
        assert len(of(events, one, "build.succeeded.v1")) == 1
        assert len(of(events, one, "container.started.v1")) == 1
        assert of(events, one, "deployment.live.v1")
    platform.up.wait_for("builder-2 runs again")


def test_cancel_ends_one_build_and_no_other(platform: Platform, repository: str) -> None:
    mark = f"sleep 31{secrets.randbelow(10**6):06}"
    canceled, other = deploy(platform, repository, mark), deploy(platform, repository, "sleep 3; echo other")
    told(platform, {canceled, other}, {"build.started.v1"})
    status, answer = platform.api("POST", f"/deployments/{canceled}/cancel")
    assert status == HTTPStatus.OK, answer
    events = told(platform, {canceled, other}, ENDS)
    assert of(events, canceled, "deployment.canceled.v1")
    assert not of(events, canceled, "build.succeeded.v1")
    assert of(events, other, "deployment.live.v1")
    assert len(of(events, other, "build.started.v1")) == 1
    until_ended(mark)


def until_ended(command: str) -> None:
    """Wait until no process of this machine runs a command, a minute at most."""
    end = time.monotonic() + 60
    while running := [path for path in Path("/proc").glob("[0-9]*/cmdline") if command in _read(path)]:
        assert time.monotonic() < end, running
        time.sleep(0.05)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def test_later_push_of_a_branch_ends_the_build_of_the_earlier_one(platform: Platform, repository: str) -> None:
    project = f"app-{secrets.token_hex(3)}"
    earlier = deploy(platform, repository, "sleep 3177; echo earlier", project=project, ref="main")
    told(platform, {earlier}, {"build.started.v1"})
    later = deploy(platform, repository, "echo later", project=project, ref="main")
    events = told(platform, {earlier, later}, ENDS)
    (superseded,) = of(events, earlier, "deployment.superseded.v1")
    assert superseded["data"]["by"] == later
    assert of(events, later, "deployment.live.v1")
    until_ended("sleep 3177")


def test_operation_that_is_asked_for_is_done_once(platform: Platform) -> None:
    answered = platform.windlass("verify", "builder", "--json")
    assert answered.returncode == 0, answered.stdout + answered.stderr


def test_node_tells_of_both_its_builders(platform: Platform) -> None:
    status, (node,) = platform.api("GET", "/nodes")
    assert status == HTTPStatus.OK
    assert node["builders"] == len(BUILDERS)
    assert 0 < node["disk_free"] <= node["disk_total"]
    assert "NODE" in platform.windlass("nodes").stdout
