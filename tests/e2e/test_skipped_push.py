"""A push that changes nothing that the project deploys for, as GitHub sends it, from its signature to its page."""

import pytest

from support.installations import GitHost
from support.signed_pushes import delivered
from support.story import Story


@pytest.mark.parametrize("platform", ["process"], indirect=True)
def test_push_outside_of_what_the_project_deploys_for_is_skipped_and_the_next_one_is_not(
    story: Story, git_host: GitHost
) -> None:
    repository, url = git_host.repository("hello-python")
    live = story.deploy(url, include=["*.py"], exclude=["docs/**"])
    assert live["phase"] == "live", live["failure"]
    outside = repository.commit({"README.md": "more", "docs/example.py": "print()"})
    skipped = story.ended(delivered(story, url, outside))
    assert (skipped["phase"], skipped["commit"]) == ("canceled", outside)
    assert story.types_of(skipped["id"]) == ["deployment.requested.v1", "deployment.canceled.v1"]
    assert live["commit"][:12] in story.answer()[1]
    explained = story.platform.windlass("explain", skipped["id"])
    assert "skipped" in explained.stdout.lower(), explained.stdout + explained.stderr
    assert "skipped" in story.platform.windlass("ps", story.project).stdout

    inside = repository.commit({"server.py": (repository.folder / "server.py").read_text() + "# changed\n"})
    assert story.ended(delivered(story, url, inside))["phase"] == "live"
