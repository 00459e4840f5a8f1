"""A gateway that GitHub delivers to, over real HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from support.github_sender import REPOSITORY, GitHub
from support.http_server import served
from support.memory_gateway import TOKEN, MemoryGateway
from windlass_contracts.events import DeploymentRequested


@dataclass
class Scene:
    """A gateway with projects of one repository, and GitHub, which knows the secret."""

    gateway: MemoryGateway
    client: httpx.AsyncClient
    github: GitHub

    def requests(self) -> list[DeploymentRequested]:
        events = [self.gateway.log.at(number).event for number in range(1, self.gateway.log.length + 1)]
        return [event for event in events if isinstance(event, DeploymentRequested) and event.trigger == "webhook"]

    async def api(self, method: str, path: str, body: Any = None) -> Any:  # noqa: ANN401 - JSON
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = await self.client.request(method, f"/api/v1{path}", json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()


@asynccontextmanager
async def scene(*slugs: str, git: str = REPOSITORY) -> AsyncIterator[Scene]:
    gateway = MemoryGateway()
    async with served(gateway) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        found = Scene(gateway, client, GitHub(client, gateway.webhook_keys.github_secret))
        for slug in slugs or ("shop",):
            await found.api("POST", "/deployments", {"git": git, "project": slug})
        yield found
