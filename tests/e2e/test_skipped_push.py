"""A push that changes nothing that the project deploys for, as GitHub sends it, from its signature to its page."""

import asyncio
import json
from http import HTTPStatus

import httpx
import pytest

from support.github_sender import GitHub, payload, push
from support.installations import GitHost
from support.story import Story


async def delivered(story: Story, url: str, commit: str) -> str:
    """Deliver the push of a commit through the proxy, and return the deployment that the answer names."""
    _, told = story.platform.api("GET", f"/projects/{story.project}/webhooks")
    about = payload("push")["repository"]
    about.update(clone_url=url, html_url=url, git_url=url, ssh_url=url)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{story.platform.port}",
        headers={"Host": f"windlass.localhost:{story.platform.port}"},
        timeout=30,
    ) as client:
        answer = await GitHub(client, told["github"]["secret"]).deliver(push(commit=commit, repository=about))
    assert answer.status_code == HTTPStatus.ACCEPTED, answer.text
    (project,) = json.loads(answer.text)["projects"]
    return str(project["deployment"])


@pytest.mark.parametrize("platform", ["process"], indirect=True)
def test_push_outside_of_what_the_project_deploys_for_is_skipped_and_the_next_one_is_not(
    story: Story, git_host: GitHost
) -> None:
    repository, url = git_host.repository("hello-python")
    live = story.deploy(url, include=["*.py"], exclude=["docs/**"])
    assert live["phase"] == "live", live["failure"]
    outside = repository.commit({"README.md": "more", "docs/example.py": "print()"})
    skipped = story.ended(asyncio.run(delivered(story, url, outside)))
    assert (skipped["phase"], skipped["commit"]) == ("canceled", outside)
    assert story.types_of(skipped["id"]) == ["deployment.requested.v1", "deployment.canceled.v1"]
    assert live["commit"][:12] in story.answer()[1]
    explained = story.platform.windlass("explain", skipped["id"])
    assert "skipped" in explained.stdout.lower(), explained.stdout + explained.stderr
    assert "skipped" in story.platform.windlass("ps", story.project).stdout

    inside = repository.commit({"server.py": (repository.folder / "server.py").read_text() + "# changed\n"})
    assert story.ended(asyncio.run(delivered(story, url, inside)))["phase"] == "live"
