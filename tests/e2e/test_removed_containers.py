"""What is removed behind the platform's back comes back."""

import subprocess
from itertools import islice

import pytest

from support.installations import GitHost
from support.story import Story
from windlass.provisioning.engine import Engine


@pytest.mark.parametrize("platform", ["docker"], indirect=True)
def test_a_container_that_is_removed_by_hand_comes_back_and_answers_again(
    story: Story, git_host: GitHost, docker_engine: Engine
) -> None:
    _, url = git_host.repository("hello-python")
    deployment = story.deploy(url)
    name = deployment["containers"][0]["name"]
    command = ("docker", "--host", docker_engine.url, "rm", "--force", name)
    subprocess.run(command, check=True, capture_output=True)
    healthy = (
        event
        for event in story.platform.follow_events()
        if event["about"] == deployment["id"] and event["type"] == "health.passed.v1"
    )
    assert len(list(islice(healthy, 2))) == 2
    assert story.types_of(deployment["id"]).count("container.started.v1") == 2
