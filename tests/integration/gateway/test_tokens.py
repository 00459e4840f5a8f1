"""API tokens over HTTP: what they permit, when they end, and what is never shown."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from support.command import command_for
from support.gateway_story import REPOSITORY
from support.http_server import served
from support.memory_gateway import TOKEN, MemoryGateway
from windlass_contracts.ids import TeamId

EVERYTHING = ["administer", "configure", "deploy", "read"]


async def create(gateway: MemoryGateway, *permissions: str, name: str = "ci", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    async with gateway.client() as client:
        answer = await client.post("/tokens", json={"name": name, "permissions": permissions, **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_token_is_shown_once_and_nothing_keeps_it() -> None:
    gateway = MemoryGateway()
    made = await create(gateway, "read", "deploy")
    async with gateway.client() as client:
        (listed,) = (await client.get("/tokens")).json()
        events = (await client.get("/events")).text
    assert made["token"].startswith("wl_")
    assert (listed["id"], listed["name"], listed["permissions"]) == (made["id"], "ci", ["deploy", "read"])
    assert listed["created_by"] == "token:installation"
    assert made["token"] not in json.dumps(listed) + events
    assert "token.created.v1" in events
    assert not any(made["token"].encode() in message.body for message in gateway.log._messages)


async def test_a_token_does_what_it_permits_under_its_own_name_and_no_more() -> None:
    gateway = MemoryGateway()
    made = await create(gateway, "deploy", "read")
    async with gateway.client(made["token"]) as client:
        accepted = await client.post("/deployments", json={"git": REPOSITORY})
        view = await client.get(f"/deployments/{accepted.json()['deployment']}")
        refused = [
            await client.post("/deployments", json={"git": REPOSITORY, "variables": {"A": "x"}}),
            await client.post("/deployments", json={"git": REPOSITORY, "config": {"start_command": "sh -c env"}}),
            await client.put("/projects/shop/variables/A", json={"value": "x"}),
            await client.post("/tokens", json={"name": "more", "permissions": ["read"]}),
            await client.get("/tokens"),
            await client.delete(f"/tokens/{made['id']}"),
            await client.post("/sign-in-links"),
        ]
    assert accepted.status_code == 202
    assert view.json()["actor"] == f"token:{made['id']}"
    assert [one.status_code for one in refused] == [403] * 7
    assert gateway.types().count("token.created.v1") == 1
    assert gateway.links.links == {}


async def test_a_token_that_may_only_deploy_cannot_read() -> None:
    gateway = MemoryGateway()
    made = await create(gateway, "deploy")
    async with gateway.client(made["token"]) as client:
        assert (await client.get("/projects")).status_code == 403
        assert (await client.get("/events", params={"follow": "true"})).status_code == 403


async def test_a_token_cannot_give_more_than_its_maker_has() -> None:
    gateway = MemoryGateway()
    made = await create(gateway, "administer", "read")
    async with gateway.client(made["token"]) as client:
        more = await client.post("/tokens", json={"name": "x", "permissions": ["read", "deploy"]})
        same = await client.post("/tokens", json={"name": "x", "permissions": ["read"]})
        assert (await client.post("/sign-in-links")).status_code == 403
    assert (more.status_code, more.json()["field"]) == (403, "permissions")
    assert "deploy" in more.json()["detail"]
    assert same.status_code == 201


async def test_a_revoked_token_is_refused_at_once_and_revoking_it_again_is_no_mistake() -> None:
    gateway = MemoryGateway()
    made = await create(gateway, *EVERYTHING)
    async with gateway.client() as client, gateway.client(made["token"]) as other:
        assert (await other.get("/projects")).status_code == 200
        first = await client.delete(f"/tokens/{made['id']}")
        refused = await other.get("/projects")
        again = await client.delete(f"/tokens/{made['id']}")
        assert (await client.get("/tokens")).json() == []
    assert (refused.status_code, first.json()) == (401, again.json())
    assert "was revoked" in refused.json()["detail"]
    assert gateway.types() == ["token.created.v1", "token.revoked.v1"]


async def test_a_token_ends_when_it_expires() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    gateway = MemoryGateway(now=lambda: now)
    made = await create(gateway, "read", expires_at=(now + timedelta(days=1)).isoformat())
    async with gateway.client(made["token"]) as client:
        assert (await client.get("/projects")).status_code == 200
        now += timedelta(days=1)
        refused = await client.get("/projects")
    async with gateway.client() as client:
        (listed,) = (await client.get("/tokens")).json()
    assert (refused.status_code, listed["expired"]) == (401, True)
    assert "has expired" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"name": "x" * 10_000}, "name"),
        ({"name": 1}, "name"),
        ({"permissions": []}, "permissions"),
        ({"permissions": ["root"]}, "permissions.0"),
        ({"permissions": "read"}, "permissions"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2200-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2027-01-01T00:00:00"}, "expires_at"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"token": "wl_mine"}, "token"),
    ],
)
async def test_what_cannot_be_a_token_is_refused_with_the_field(change: dict[str, object], field: str) -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        answer = await client.post("/tokens", json={"name": "ci", "permissions": ["read"], **change})
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert gateway.types() == []


async def test_two_valid_tokens_never_have_one_name_even_when_made_at_once() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        body = {"name": "<b>ci</b>", "permissions": ["read"]}
        answers = await asyncio.gather(*(client.post("/tokens", json=body) for _ in range(4)))
        assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]
        (listed,) = (await client.get("/tokens")).json()
        assert listed["name"] == "<b>ci</b>"
        await client.delete(f"/tokens/{listed['id']}")
        assert (await client.post("/tokens", json=body)).status_code == 201


@pytest.mark.parametrize("token", ["wl_" + "a" * 43, "", "x" * 50_000, "wl_\x7f", "sha256:" + "0" * 64])
async def test_a_made_up_token_is_nobodys(token: str) -> None:
    gateway = MemoryGateway()
    await create(gateway, "read")
    async with gateway.client(token) as client:
        assert (await client.get("/projects")).status_code == 401


async def test_a_digest_is_no_token() -> None:
    gateway = MemoryGateway()
    await create(gateway, "read")
    event = gateway.log.at(1).event
    async with gateway.client(event.model_dump()["digest"]) as client:
        assert (await client.get("/projects")).status_code == 401


async def test_a_new_token_works_although_the_rows_lag_behind() -> None:
    gateway = MemoryGateway()
    gateway.rows.stay_at(0)
    made = await create(gateway, "read")
    async with gateway.client(made["token"]) as client:
        asking = asyncio.ensure_future(client.get("/projects"))
        await asyncio.sleep(0)
        gateway.rows.stay_at(None)
        assert (await asking).status_code == 200


async def test_one_team_sees_and_revokes_no_token_of_another() -> None:
    gateway = MemoryGateway()
    made = await create(gateway, "read")
    other = MemoryGateway(gateway.log, team=TeamId(UUID(int=9)))
    async with other.client() as client:
        assert (await client.get("/tokens")).json() == []
        assert (await client.delete(f"/tokens/{made['id']}")).status_code == 404
        assert (await client.delete(f"/tokens/{uuid4()}")).status_code == 404
        assert (await client.delete("/tokens/nonsense")).status_code == 422
    assert gateway.log.length == 1


async def lines_until_end(answer: httpx.Response, first: asyncio.Event) -> list[dict[str, Any]]:
    found = []
    async for line in answer.aiter_lines():
        found.append(json.loads(line))
        first.set()
    return found


async def test_a_stream_ends_when_its_token_is_revoked_and_says_why() -> None:
    gateway = MemoryGateway()
    made, kept = await create(gateway, "read"), await create(gateway, "read", name="kept")
    async with served(gateway) as url, httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=60) as client:

        async def follow(token: str, first: asyncio.Event) -> list[dict[str, Any]]:
            headers, query = {"Authorization": f"Bearer {token}"}, {"follow": "true", "after": "0"}
            async with client.stream("GET", "/events", params=query, headers=headers) as answer:
                return await lines_until_end(answer, first)

        begun, others = asyncio.Event(), asyncio.Event()
        ending = asyncio.ensure_future(follow(made["token"], begun))
        going_on = asyncio.ensure_future(follow(kept["token"], others))
        await asyncio.gather(begun.wait(), others.wait())
        own = {"Authorization": f"Bearer {TOKEN}"}
        assert (await client.delete(f"/tokens/{made['id']}", headers=own)).status_code == 200
        *events, last = await asyncio.wait_for(ending, 60)
        assert [one["type"] for one in events[:2]] == ["token.created.v1"] * 2
        assert "was revoked" in last["problem"]["detail"]
        assert not going_on.done()
        going_on.cancel()
        await asyncio.wait({going_on})
    assert gateway.gateway.endings._open == {}


async def test_a_stream_ends_when_its_token_expires() -> None:
    end = datetime.now(UTC) + timedelta(days=1)
    now = end - timedelta(hours=1)
    gateway = MemoryGateway(now=lambda: now)
    made = await create(gateway, "read", expires_at=end.isoformat())
    now = end - timedelta(milliseconds=50)
    async with served(gateway) as url, httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=60) as client:
        headers, query = {"Authorization": f"Bearer {made['token']}"}, {"follow": "true", "after": "0"}
        async with client.stream("GET", "/events", params=query, headers=headers) as answer:
            *_, last = await lines_until_end(answer, asyncio.Event())
    assert last["problem"]["status"] == 401


async def test_the_command_creates_lists_and_revokes(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with command_for(gateway, tmp_path) as windlass:
        empty = await windlass("tokens", "list")
        made = await windlass("tokens", "create", "ci", "--permission", "read", "-p", "deploy", "--json")
        said = await windlass("tokens", "create", "nightly", "-p", "read", "--expires", "never")
        listed = await windlass("tokens", "list")
        revoked = await windlass("tokens", "revoke", "ci")
        unknown = await windlass("tokens", "revoke", "ci")
        wrong = await windlass("tokens", "create", "x", "-p", "read", "--expires", "soon")
        link = await windlass("login-link", "--json")
    assert "windlass tokens create" in empty.out
    token, sentence = said.out.splitlines()
    assert token.startswith("wl_")
    assert "shown once" in sentence
    assert "never expires" in sentence
    assert "ci" in listed.out
    assert "expires in 89 d" in listed.out
    assert made.document["token"] not in listed.out
    assert (revoked.code, unknown.code, wrong.code) == (0, 1, 1)
    assert "windlass tokens list" in unknown.err
    assert "90d" in wrong.err
    assert link.document["url"].startswith("http://windlass.localhost:8080/sign-in?token=")
