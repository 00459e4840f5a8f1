"""Old releases go, what answers and what answered before stay, and nothing of others is touched."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from support.failpoint_folder import FailpointFolder
from support.git_server import make_repository
from support.installations import GitHost
from support.story import Story
from support.versions import APP
from windlass.provisioning.engine import Engine
from windlass_eventlog.failpoints import Armed

COMMAND = "exec python3 server.py"
AT_ONCE = {"drain_s": 1, "grace_s": 1, "keep_warm_s": 0}


def docker(engine: Engine, *arguments: str) -> str:
    command = ("docker", "--host", engine.url, *arguments)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def foreign(docker_engine: Engine, story: Story) -> Iterator[str]:
    """Yield an image of somebody else, under a name like ours."""
    name = f"windlass-{story.platform.installation}-release:{'f' * 32}"
    tagged = docker(docker_engine, "images", "--quiet", "windlass/runner-python").splitlines()[0]
    docker(docker_engine, "tag", tagged, name)
    yield name
    docker(docker_engine, "rmi", name)


def project_id(story: Story) -> str:
    return next(str(one["id"]) for one in story.platform.api("GET", "/projects")[1] if one["slug"] == story.project)


def images(engine: Engine, story: Story) -> set[str]:
    """Return the releases of the project that the engine has."""
    label = f"label=dev.windlass.project={project_id(story)}"
    return set(docker(engine, "images", "--filter", label, "--format", "{{.Repository}}:{{.Tag}}").split())


def see_off(engine: Engine, container: str) -> None:
    """Remove it once it has ended, as the builder does a minute later, and may have done by now."""
    for way in ("wait", "rm"):
        subprocess.run(["docker", "--host", engine.url, way, container], check=False, capture_output=True)
    assert docker(engine, "ps", "--all", "--quiet", "--filter", f"name={container}") == ""


@pytest.mark.parametrize("platform", ["docker"], indirect=True)
def test_an_old_release_goes_and_a_way_back_stays(
    story: Story, git_host: GitHost, docker_engine: Engine, foreign: str
) -> None:
    windlass, url = story.platform.windlass, f"{git_host.url}/{story.project}"
    repository = make_repository(git_host.folder / story.project, {"server.py": APP.read_text(), "VERSION": "0"})
    deployments = []
    for version in ("1", "2", "3"):
        repository.commit({"VERSION": version})
        deployments.append(story.deploy(url, start_command=COMMAND, retirement=AT_ONCE, keep_releases=1))
    first, second, third = deployments
    for one in (first, second):
        story.waited_for("container.stopped.v1", one["id"])
        see_off(docker_engine, one["containers"][0]["name"])

    would = windlass("gc", story.project, "--dry-run", "--json")
    assert would.returncode == 0, would.stderr
    assert {one["name"] for one in json.loads(would.stdout)["result"]["items"]} <= {first["release"]}
    assert windlass("gc", "no-such-project").returncode == 1
    assert windlass("gc", story.project).returncode == 0  # or the builder did it just now by itself
    assert windlass("gc", story.project).stdout.splitlines()[-1] == "Nothing went."

    assert images(docker_engine, story) == {second["release"], third["release"]}
    assert docker(docker_engine, "images", "--quiet", foreign)
    gone = [one["data"] for one in story.platform.events() if one["type"] == "storage.reclaimed.v1"]
    assert [one["why"] for one in gone if one["name"] == first["release"]] == ["retention"]
    refused = windlass("rollback", story.project, "--to", first["id"])
    assert refused.returncode == 1
    assert "was retired: it cannot be started again" in refused.stderr
    story.roll_back(second["id"])
    assert story.answer() == (200, "2")


@pytest.mark.parametrize("platform", ["docker"], indirect=True)
def test_a_builder_killed_right_behind_a_deletion_says_it_once_when_it_is_back(
    story: Story, git_host: GitHost, docker_engine: Engine, tmp_path: Path
) -> None:
    _, url = git_host.repository("hello-python")
    story.deploy(url)
    project, empty = project_id(story), tmp_path / "empty.tar"
    empty.write_bytes(bytes(10_240))
    labels = f"LABEL dev.windlass.installation={story.platform.installation} dev.windlass.project={project}"
    left_over = docker(docker_engine, "import", "--change", labels, str(empty))
    folder, armed = FailpointFolder.of(story.platform), Armed("builder", "after_deleted:image", uuid4().hex)
    folder.arm(armed)

    cut_short = story.platform.windlass("gc", story.project)

    assert folder.killed_at(armed, 60), cut_short
    story.platform.up.wait_for("builder runs again")
    assert story.waited_for("storage.reclaimed.v1", project)["data"]["name"] == left_over
    assert story.platform.windlass("gc", story.project).returncode == 0
    gone = [one["data"]["name"] for one in story.platform.events() if one["type"] == "storage.reclaimed.v1"]
    assert gone.count(left_over) == 1
    assert left_over not in docker(docker_engine, "images", "--all", "--quiet", "--no-trunc").split()
