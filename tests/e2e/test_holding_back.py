"""A rolled-back production takes no push until it is released, and any version that was live can be promoted."""

import pytest

from support.git_server import Repository, make_repository
from support.installations import GitHost
from support.signed_pushes import delivered
from support.story import Story
from support.versions import APP

_NOT_KEPT = {"drain_s": 1, "grace_s": 1, "keep_warm_s": 0}


@pytest.fixture
def app(git_host: GitHost, story: Story) -> tuple[Repository, str]:
    """Return the repository of an app whose versions are numbered, and its address."""
    files = {"server.py": APP.read_text(), "VERSION": "1"}
    return make_repository(git_host.folder / story.project, files), f"{git_host.url}/{story.project}"


def pushed(story: Story, app: tuple[Repository, str], version: str) -> str:
    """Push a version, wait until it is live, and return its deployment's id."""
    repository, url = app
    ended = story.ended(delivered(story, url, repository.commit({"VERSION": version})))
    assert ended["phase"] == "live", ended["failure"]
    return str(ended["id"])


@pytest.mark.parametrize("platform", ["process"], indirect=True)
def test_pushes_wait_at_their_own_address_until_the_environment_is_released_or_they_are_promoted(
    story: Story, app: tuple[Repository, str]
) -> None:
    first = story.deploy(app[1], start_command="exec python3 server.py", retirement=_NOT_KEPT)
    pushed(story, app, "2")
    story.roll_back(first["id"])
    held_back = pushed(story, app, "3")
    assert story.answer() == (200, "1")
    assert story.answer(f"{story.project}--id--{held_back.replace('-', '')[:12]}") == (200, "3")
    assert "held since the rollback" in story.platform.windlass("explain", held_back).stdout

    released = story.platform.windlass("release", story.project)
    assert released.returncode == 0, released.stderr
    assert story.answer() == (200, "1")
    pushed(story, app, "4")
    assert story.answer() == (200, "4")

    story.waited_for("container.stopped.v1", held_back)
    promoted = story.platform.windlass("promote", held_back, "--to", "production")
    assert promoted.returncode == 0, promoted.stderr
    assert story.answer() == (200, "3")
    assert story.types_of(held_back).count("container.started.v1") == 2
