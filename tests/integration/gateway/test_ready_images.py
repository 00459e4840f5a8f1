"""Deployments of ready images, as the API takes them: pinned by their digest, for a project that is named."""

import pytest

from support.api_requests import assert_problem
from support.memory_gateway import MemoryGateway
from windlass_contracts.events import DeploymentRequested
from windlass_contracts.events.deployment import ImageSource

DIGEST = f"sha256:{'a' * 64}"


async def test_an_image_is_deployed_as_it_was_pinned() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        body = {"image": f"registry.example:5000/shop:1@{DIGEST}", "project": "shop", "config": {"port": 80}}
        assert (await client.post("/deployments", json=body)).status_code == 202
    events = [gateway.log.at(sequence).event for sequence in range(1, gateway.log.length + 1)]
    (requested,) = (event for event in events if isinstance(event, DeploymentRequested))
    assert requested.source == ImageSource(reference="registry.example:5000/shop:1", digest=DIGEST)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"image": "shop", "project": "shop"}, "image"),
        ({"image": "shop:latest", "project": "shop"}, "image"),
        ({"image": f"../shop@{DIGEST}", "project": "shop"}, "image"),
        ({"image": "shop@sha256:abc", "project": "shop"}, "image"),
        ({"image": f"shop@{DIGEST}"}, "project"),
        ({"image": f"shop@{DIGEST}", "project": "shop", "ref": "main"}, None),
        ({"image": f"shop@{DIGEST}", "project": "shop", "git": "https://host/owner/shop"}, None),
        ({"image": "x" * 601, "project": "shop"}, "image"),
        (
            {"image": f"shop@{DIGEST}", "project": "shop", "config": {"dockerfile": "../Dockerfile"}},
            "config.dockerfile",
        ),
    ],
)
async def test_an_image_that_is_not_pinned_is_refused_by_its_field(
    fields: dict[str, object], field: str | None
) -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        assert_problem(await client.post("/deployments", json=fields), 422, field)
    assert gateway.types() == []
