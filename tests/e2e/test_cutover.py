"""Nobody notices a cutover or a rollback: what was begun is ended by the version that began it."""

import asyncio
import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from support.git_server import Repository, make_repository
from support.installations import GitHost
from support.load import Load
from support.platform import ANSWER_SECONDS
from support.story import Story
from support.versions import APP

COMMAND = "exec python3 server.py"
AT_ONCE = {"drain_s": 1, "grace_s": 1, "keep_warm_s": 600}
"""A replaced version may be paused 2 s after the routes left it."""


@pytest.fixture
def app(git_host: GitHost, story: Story) -> tuple[Repository, str]:
    """Return the repository of an app whose versions are numbered, and its address."""
    files = {"server.py": APP.read_text(), "VERSION": "1"}
    return make_repository(git_host.folder / story.project, files), f"{git_host.url}/{story.project}"


@contextmanager
def begun(story: Story, path: str) -> Iterator[http.client.HTTPResponse]:
    """Yield an answer of which the head is there and the end is not."""
    connection = http.client.HTTPConnection("127.0.0.1", story.platform.port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", path, headers={"Host": f"{story.project}.localhost:{story.platform.port}"})
        yield connection.getresponse()
    finally:
        connection.close()


def events_until(answer: http.client.HTTPResponse, number: int) -> list[int]:
    """Return the numbers of the events of a stream up to this one."""
    seen: list[int] = []
    while not seen or seen[-1] < number:
        line = answer.readline()
        assert line, "the stream ended"
        if line.startswith(b"data: "):
            seen.append(json.loads(line[6:])["number"])
    return seen


def test_what_began_before_a_cutover_ends_after_it_and_only_then_is_the_old_version_paused(
    story: Story, app: tuple[Repository, str]
) -> None:
    repository, url = app
    first = story.deploy(url, start_command=COMMAND, retirement=AT_ONCE)
    with begun(story, "/events") as stream:
        events_until(stream, 0)
        with begun(story, "/slow?seconds=5") as slow:
            repository.commit({"VERSION": "2"})
            story.deploy(url, start_command=COMMAND, retirement=AT_ONCE)
            assert story.answer() == (200, "2")
            assert slow.read() == b"1 done"
        seen = events_until(stream, 80)
        assert seen == list(range(1, 81))
        assert "container.paused.v1" not in story.types_of(first["id"])
    story.waited_for("container.paused.v1", first["id"])


def test_a_rollback_while_the_old_version_still_serves_what_it_began(story: Story, app: tuple[Repository, str]) -> None:
    repository, url = app
    first = story.deploy(url, start_command=COMMAND, retirement=AT_ONCE)
    with begun(story, "/events") as stream:
        repository.commit({"VERSION": "2"})
        story.deploy(url, start_command=COMMAND, retirement=AT_ONCE)
        story.roll_back(first["id"])
        assert story.answer() == (200, "1")
        events_until(stream, 40)
    assert "container.paused.v1" not in story.types_of(first["id"])


def test_a_rollback_to_a_stopped_version_starts_it_with_the_variables_of_its_day(
    story: Story, app: tuple[Repository, str]
) -> None:
    repository, url = app
    first = deployed_with(story, url, "hello", {"retirement": {**AT_ONCE, "keep_warm_s": 0}})
    assert story.platform.get(story.project, "/variable") == (200, b"hello")
    repository.commit({"VERSION": "2"})
    deployed_with(story, url, "goodbye", {})
    assert story.platform.get(story.project, "/variable") == (200, b"goodbye")
    story.waited_for("container.stopped.v1", first)
    said = story.platform.windlass("rollback", story.project, "--to", first)
    assert said.returncode == 0, said.stderr
    assert story.answer() == (200, "1")
    assert story.platform.get(story.project, "/variable") == (200, b"hello")
    assert story.types_of(first).count("container.started.v1") == 2


@pytest.mark.parametrize("platform", ["docker"], indirect=True, scope="session")
async def test_no_request_fails_while_a_version_is_scaled_up_restarted_and_scaled_down_again(
    story: Story, app: tuple[Repository, str]
) -> None:
    deployment = story.deploy(app[1], start_command=COMMAND, retirement=AT_ONCE)["id"]
    host = f"{story.project}.localhost:{story.platform.port}"
    load = Load(story.platform.port, host, frozen_after_s=ANSWER_SECONDS)
    async with load.short():
        for command in (("scale", story.project, "3"), ("restart", story.project), ("scale", story.project, "1")):
            said = await asyncio.to_thread(story.platform.windlass, *command)
            assert said.returncode == 0, said.stdout + said.stderr
    assert load.failed == 0, load.reasons
    assert load.wrong == 0, load.reasons
    assert load.requests
    _, answer = story.platform.api("GET", f"/deployments/{deployment}")
    assert answer["replicas"] == {"wanted": 1, "healthy": 1, "leaving": 0, "restarting": False}
    types = story.types_of(deployment)
    assert (types.count("container.started.v1"), types.count("container.stopped.v1")) == (6, 5)
    (end,) = [event for event in types if event.startswith("restart.") and event != "restart.requested.v1"]
    assert end == "restart.succeeded.v1"


def deployed_with(story: Story, url: str, greeting: str, config: Mapping[str, object]) -> str:
    """Deploy with a value of GREETING and return the deployment's id."""
    body = {
        "git": url,
        "project": story.project,
        "config": {"start_command": COMMAND, **config},
        "variables": {"GREETING": greeting},
    }
    status, answer = story.platform.api("POST", "/deployments", body)
    assert status == 202, answer
    assert story.ended(answer["deployment"])["phase"] == "live"
    return str(answer["deployment"])
