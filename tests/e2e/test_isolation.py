"""What an app finds of the platform from inside, and what happens to one that fills the disk."""

import json
import subprocess
from itertools import islice

import pytest

from support.installations import GitHost
from support.platform import Platform
from support.story import Story
from support.walls import PROGRAM

pytestmark = pytest.mark.parametrize("platform", ["docker"], indirect=True)


def addresses_of_this_machine(container: str) -> list[str]:
    """Return where a container may look for the machine: its own network's gateway, and all other addresses."""
    inspect = ["docker", "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}", container]
    gateway, others = (
        subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        for command in (inspect, ["hostname", "--all-ip-addresses"])
    )
    # Not all of the many bridges: one of another project is enough, and a user's own address.
    return [*gateway, *[address for address in others if "." in address and address not in gateway][:2]]


def own_ports(platform: Platform) -> list[int]:
    ports = json.loads((platform.home / "ports.json").read_text())
    return [ports[name] for name in ("gateway", "nats", "traefik_api", "public")]


def test_an_app_reaches_no_server_of_the_platform(story: Story, git_host: GitHost) -> None:
    deployment = story.deploy(git_host.repository("hello-python")[1])
    places = addresses_of_this_machine(deployment["containers"][0]["name"])
    targets = [f"{place}:{port}" for place in places for port in own_ports(story.platform)]
    run = story.platform.windlass("run", story.project, "--", "python3", "-c", PROGRAM, *targets)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout.partition("FOUND ")[2])
    assert set(found["reached"].values()) == {"ECONNREFUSED"}, found["reached"]  # nobody listens there, but on loopback
    assert not found["docker_socket"]


def test_a_live_app_that_fills_its_scratch_space_is_replaced_and_answers_again(story: Story, git_host: GitHost) -> None:
    deployment = story.deploy(git_host.repository("hello-python")[1], scratch_mib=16)
    name = deployment["containers"][0]["name"]
    fill = ["docker", "exec", name, "sh", "-c", "head -c 50M /dev/zero > /app/filling; sync"]
    subprocess.run(fill, check=False, capture_output=True)  # it may be ended while it does
    about = (event for event in story.platform.follow_events() if event["about"] == deployment["id"])
    assert len(list(islice((event for event in about if event["type"] == "health.passed.v1"), 2))) == 2
    [stopped] = [event for event in story.platform.events() if event["type"] == "container.stopped.v1"][-1:]
    assert stopped["data"]["why"] == "scratch-full"
    left = subprocess.run(["docker", "exec", name, "ls", "/app"], check=True, capture_output=True, text=True)
    assert "filling" not in left.stdout
    story.until_it_answers()
