"""The gateway as a service, operated through its own API, on real NATS and PostgreSQL."""

import json
from typing import Any

import httpx

from .test_service import DEPLOY, port, running

__all__ = ["port"]


async def ended(client: httpx.AsyncClient, kind: str) -> dict[str, Any]:
    """Ask the gateway for an operation, and return the state in which it ended."""
    asked = await client.post("/operations", json={"service": "gateway", "kind": kind})
    assert asked.status_code == 202, asked.text
    answer = await client.get(f"/operations/gateway/{asked.json()['id']}", timeout=60)
    state: dict[str, Any] = json.loads(answer.text.splitlines()[-1])["state"]
    return state


async def test_a_gateway_verifies_and_rebuilds_itself(port: int) -> None:
    async with running(port) as client:
        for _ in range(3):
            assert (await client.post("/deployments", json=DEPLOY)).status_code == 202
        clean = await ended(client, "verify")
        rebuilt = await ended(client, "rebuild")
        again = await ended(client, "verify")
        listed = (await client.get("/deployments")).json()
    assert (clean["state"], clean["result"]["findings"]) == ("done", []), clean
    looked = {one["what"]: one["count"] for one in clean["result"]["checked"]}
    assert (looked["events"], looked["conditions of appends"]) == (8, 8)
    assert (rebuilt["state"], rebuilt["result"]["sequence"]) == ("done", 8), rebuilt
    assert again["result"]["findings"] == []
    assert len(listed) == 3
