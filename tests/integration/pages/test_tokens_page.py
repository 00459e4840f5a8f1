"""API tokens, made and revoked on their page."""

import re

import httpx
import pytest

from support.memory_gateway import MemoryGateway

FIELDS = {"name": "Nightly <b>", "permissions": ["read", "deploy"], "days": "30"}


async def test_a_token_is_shown_once_and_works_until_it_is_revoked(
    client: httpx.AsyncClient, gateway: MemoryGateway
) -> None:
    made = await client.post("/settings/tokens", data=FIELDS)
    assert made.status_code == 200
    assert made.headers["cache-control"] == "no-store"
    found = re.search(r"wl_[\w-]{20,}", made.text)
    assert found is not None
    token = found[0]
    again = (await client.get("/settings/tokens")).text
    assert token not in again
    assert "Nightly &lt;b&gt;" in again
    async with gateway.client(token) as program:
        assert (await program.get("/projects")).status_code == 200
    revoking = re.search(r'action="(/settings/tokens/[0-9a-f-]+/revoke)"', again)
    assert revoking is not None
    assert (await client.post(revoking[1])).status_code == 303
    async with gateway.client(token) as program:
        assert (await program.get("/projects")).status_code == 401
    assert "Nightly &lt;" not in (await client.get("/settings/tokens")).text


@pytest.mark.parametrize("change", [{"name": ""}, {"name": "x" * 101}, {"permissions": []}, {"permissions": ["rule"]}])
async def test_a_token_that_cannot_be_made_is_explained(
    client: httpx.AsyncClient, gateway: MemoryGateway, change: dict[str, object]
) -> None:
    answer = await client.post("/settings/tokens", data={**FIELDS, **change})
    assert answer.status_code == 422
    assert "<h1" in answer.text
    assert gateway.log.length == 0
