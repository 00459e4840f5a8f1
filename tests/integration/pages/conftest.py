"""A gateway over the log in memory, with the projects of a team, and a signed-in browser."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import httpx
import pytest

from support.dashboard_story import DashboardStory
from support.harbour import harbour
from support.memory_gateway import MemoryGateway
from windlass_contracts.ids import DeploymentId

Post = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def gateway() -> MemoryGateway:
    return MemoryGateway()


@pytest.fixture
def story(gateway: MemoryGateway) -> DashboardStory:
    caller = gateway.sessions.members.caller(gateway.owner, gateway.team)
    assert caller is not None
    return DashboardStory(gateway.gateway, caller)


@pytest.fixture
async def told(story: DashboardStory) -> Mapping[str, DeploymentId]:
    return await harbour(story)


@pytest.fixture
async def client(gateway: MemoryGateway) -> AsyncIterator[httpx.AsyncClient]:
    session = gateway.session()
    async with gateway.browser(gateway.signed_in(session)) as client:
        client.headers["X-CSRF-Token"] = session.csrf
        yield client
