"""A service that is killed while a deployment is its to carry costs nothing: the deployment goes live all the same."""

import os
import signal
from datetime import datetime

import asyncpg
import pytest

from support.installations import GitHost
from support.story import Story
from windlass_eventlog.clock import utc_now


@pytest.mark.parametrize(
    ("service", "after", "slowly"),
    [
        ("builder", "build.started.v1", {"build_command": "sleep 6"}),
        ("monitor", "container.started.v1", {"start_command": "sleep 6; exec python3 server.py"}),
        ("logs", "container.started.v1", {"start_command": "sleep 6; exec python3 server.py"}),
    ],
)
def test_a_deployment_survives_the_death_of_the_service_in_the_middle_of_its_work(
    story: Story, git_host: GitHost, service: str, after: str, slowly: dict[str, str]
) -> None:
    _, url = git_host.repository("hello-python")
    deployment = story.request(url, **slowly)
    story.waited_for(after, deployment)
    killed_at = utc_now()
    story.platform.kill_service(service)
    assert story.ended(deployment)["phase"] == "live"
    told = [event for event in story.platform.events() if event["about"] == deployment]
    assert [event["type"] for event in told].count("container.started.v1") == 1
    (live,) = [event for event in told if event["type"] == "deployment.live.v1"]
    assert datetime.fromisoformat(live["time"]) > killed_at, "the kill came in the middle"


def test_after_the_death_of_the_supervisor_apps_and_their_history_are_there_again(
    story: Story, git_host: GitHost
) -> None:
    repository, url = git_host.repository("hello-python")
    commit = repository.git("rev-parse", "HEAD")
    deployment = story.deploy(url)
    before = list(story.platform.events())
    story.platform.kill()
    story.platform.start()
    assert commit[:12] in story.answer()[1]
    assert list(story.platform.events())[: len(before)] == before
    assert story.types_of(deployment["id"])[-1] == "deployment.live.v1", "nothing was done again"
    status, known = story.platform.api("GET", f"/deployments/{deployment['id']}")
    assert (status, known["phase"], known["current"]) == (200, "live", True)


async def test_a_router_whose_database_was_dropped_has_its_rows_again_and_no_route_is_missing_meanwhile(
    story: Story, git_host: GitHost
) -> None:
    repository, url = git_host.repository("hello-python")
    story.deploy(url)
    owner = await asyncpg.connect(story.platform.up.database_url("router", "postgres"))
    await owner.execute("DROP DATABASE router WITH (FORCE)")
    await owner.close()
    assert story.answer()[0] == 200
    commit = repository.commit({"notes.txt": "another version"})
    story.deploy(url)
    assert commit[:12] in story.answer()[1]


def test_apps_answer_while_everything_but_the_proxy_stands_still(story: Story, git_host: GitHost) -> None:
    repository, url = git_host.repository("hello-python")
    commit = repository.git("rev-parse", "HEAD")
    story.deploy(url)
    control_plane = [process for process in story.platform.up.descendants() if process.name != "traefik"]
    assert {"nats-server", "postgres", "wl-router"} <= {process.name for process in control_plane}
    try:
        for process in control_plane:
            os.kill(process.pid, signal.SIGSTOP)
        assert commit[:12] in story.answer()[1]
    finally:
        for process in control_plane:
            os.kill(process.pid, signal.SIGCONT)
