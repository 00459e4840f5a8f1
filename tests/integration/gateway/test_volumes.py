"""Volumes are listed for the team whose they are, with sizes, and removed once nothing has them mounted."""

from uuid import UUID, uuid4

from support.api_requests import assert_problem, deploy
from support.memory_gateway import MemoryGateway
from windlass_contracts.subjects import Service
from windlass_eventlog.clock import utc_now
from windlass_eventlog.nodes import NodeState, volume_key
from windlass_eventlog.operations.model import Kind, Request, request_key
from windlass_gateway.application.projections import DEPLOYMENTS


async def kept(gateway: MemoryGateway, deployment: str, *, mounted: bool = True) -> None:
    """Let a node say that it keeps a volume for the project of a deployment, and one of a stranger."""
    found = await gateway.rows.get(DEPLOYMENTS, UUID(deployment))
    assert found is not None
    key = volume_key(found.row.project, found.row.environment, "uploads")
    strange = volume_key(uuid4(), uuid4(), "theirs")
    state = NodeState(
        at=utc_now(),
        volumes={key: 12_345_678, strange: 1, "nonsense": 2},
        mounted={key: (UUID(deployment),)} if mounted else {},
    )
    gateway.gateway.nodes._take("one", state.model_dump_json().encode())


async def test_volumes_are_listed_with_their_sizes_and_removed_once_nothing_has_them() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        deployment = (await deploy(client))["deployment"]
        assert (await client.get("/volumes")).json() == []
        await kept(gateway, deployment)
        (one,) = (await client.get("/volumes", params={"project": "shop"})).json()
        assert (one["project"], one["environment"], one["name"]) == ("shop", "production", "uploads")
        assert (one["size"], one["mounted"], one["node"]) == (12_345_678, [deployment], "one")
        assert_problem(await client.get("/volumes", params={"project": "nobody"}), 404, "project")

        place = "/projects/shop/volumes/uploads"
        assert_problem(await client.delete(place), 409, "name")
        await kept(gateway, deployment, mounted=False)
        assert_problem(await client.delete("/projects/shop/volumes/other"), 404, "name")
        assert_problem(await client.delete(place, params={"environment": "preview"}), 404, "environment")
        assert (await client.delete("/projects/shop/volumes/..%2F..")).status_code in (404, 422)
        body = {"service": "builder", "kind": "remove-volume"}
        assert (await client.post("/operations", json=body)).status_code == 422, "which one?"
        accepted = await client.delete(place)
        assert accepted.status_code == 202, accepted.text
    asked = Request.model_validate_json(await gateway.operations.get(request_key(Service.BUILDER)) or b"")
    assert (asked.kind, asked.volume and asked.volume.name) == (Kind.REMOVE_VOLUME, "uploads")
    async with gateway.browser() as browser:
        page = await browser.get("/projects/shop/settings")
    assert "11.8 MiB" in page.text
    assert "mounted by nothing" in page.text
    assert "theirs" not in page.text
