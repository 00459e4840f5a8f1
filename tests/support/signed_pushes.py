"""Pushes as GitHub sends them: signed, and through the proxy."""

import asyncio
import json
from http import HTTPStatus

import httpx

from support.github_sender import GitHub, payload, push
from support.story import Story


def delivered(story: Story, url: str, commit: str) -> str:
    """Deliver the push of a commit, and return the deployment that the answer names."""
    return asyncio.run(_delivered(story, url, commit))


async def _delivered(story: Story, url: str, commit: str) -> str:
    _, told = story.platform.api("GET", f"/projects/{story.project}/webhooks")
    about = payload("push")["repository"]
    about.update(clone_url=url, html_url=url, git_url=url, ssh_url=url)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{story.platform.port}",
        headers={"Host": f"windlass.localhost:{story.platform.port}"},
        timeout=60,
    ) as client:
        answer = await GitHub(client, told["github"]["secret"]).deliver(push(commit=commit, repository=about))
    assert answer.status_code == HTTPStatus.ACCEPTED, answer.text
    (project,) = json.loads(answer.text)["projects"]
    return str(project["deployment"])
