"""A push that was skipped is shown as that, with the reason."""

from uuid import UUID

from support.gateway_story import REPOSITORY
from support.memory_gateway import MemoryGateway
from windlass_contracts.events import DeploymentCanceled


async def test_a_push_that_was_skipped_says_so_wherever_it_is_shown() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client, gateway.browser() as browser:
        made = (await client.post("/deployments", json={"git": REPOSITORY, "project": "shop"})).json()["deployment"]
        reason = "It changes README.md since commit 0123456789ab: none of the paths that the project deploys for."
        await gateway.tell(UUID(made), [DeploymentCanceled(code="unchanged", reason=reason)])
        view = (await client.get(f"/deployments/{made}")).json()
        assert (view["phase"], view["cancellation"]) == ("canceled", {"code": "unchanged", "reason": reason})
        assert reason in (await client.get(f"/deployments/{made}/explain")).json()["sentence"]
        page = (await browser.get(f"/deployments/{made}")).text
        assert "Skipped" in page
        assert reason in page
        assert "Skipped" in (await browser.get("/projects/shop")).text
