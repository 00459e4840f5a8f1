"""What test sessions leave on the Docker engine: nothing, even when they are killed."""

import subprocess
from pathlib import Path

import pytest

from support.docker_objects import installation
from windlass.provisioning.engine import Engine

pytestmark = pytest.mark.docker


def networks_of(installation_id: str) -> list[str]:
    label = f"label=dev.windlass.installation={installation_id}"
    listing = ["docker", "network", "ls", "--quiet", "--filter", label]
    return subprocess.run(listing, check=True, capture_output=True, text=True).stdout.split()


def make_network(installation_id: str) -> None:
    label = f"dev.windlass.installation={installation_id}"
    name = f"windlass-{installation_id}-ledger"
    subprocess.run(["docker", "network", "create", "--label", label, name], check=True, capture_output=True)


@pytest.mark.usefixtures("docker_engine")
def test_a_session_removes_what_carries_its_id_and_nothing_else(tmp_path: Path) -> None:
    with installation("0000aaaa", tmp_path / "others"):
        make_network("0000aaaa")
        with installation("0000bbbb", tmp_path / "own"):
            make_network("0000bbbb")
        assert networks_of("0000bbbb") == []
        assert len(networks_of("0000aaaa")) == 1
    assert networks_of("0000aaaa") == []


@pytest.mark.usefixtures("docker_engine")
def test_the_next_session_removes_what_a_killed_one_left_and_spares_the_living(tmp_path: Path) -> None:
    (tmp_path / "0000dead").touch()  # nobody holds it: its session was killed
    make_network("0000dead")
    with installation("0000cccc", tmp_path):
        assert networks_of("0000dead") == []
        make_network("0000cccc")
        with installation("0000dddd", tmp_path):
            assert len(networks_of("0000cccc")) == 1


def test_the_runner_image_answers_as_the_unprivileged_user(docker_engine: Engine, runner_image: str) -> None:
    command = ["docker", "--host", docker_engine.url, "run", "--rm", "--network", "none", runner_image]
    done = subprocess.run([*command, "sh", "-c", "id -u && pwd"], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["10001", "/app"]
