"""Webhooks of every other sender, signed as Standard Webhooks says, and how both kinds are set up."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from support.command import command_for
from support.gateway_story import COMMIT, REPOSITORY
from support.http_server import served
from support.memory_gateway import TOKEN, MemoryGateway
from windlass_contracts.events import DeploymentRequested
from windlass_contracts.events.deployment import GitSource

URL = "/api/webhooks/shop"


@asynccontextmanager
async def shop() -> AsyncIterator[tuple[MemoryGateway, httpx.AsyncClient, str]]:
    """Yield a gateway with a project, a client and the project's secret, as its owner is told."""
    gateway = MemoryGateway()
    owner = {"Authorization": f"Bearer {TOKEN}"}
    async with served(gateway) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        await client.post("/api/v1/deployments", json={"git": REPOSITORY}, headers=owner)
        told = (await client.get("/api/v1/projects/shop/webhooks", headers=owner)).json()
        yield gateway, client, told["signed"]["secret"]


def signed(body: str, secret: str, *, identity: str = "msg_1", age: timedelta = timedelta()) -> dict[str, str]:
    sent = datetime.now(UTC) - age
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(int(sent.timestamp())),
        "webhook-signature": Webhook(secret).sign(identity, sent, body),
    }


async def send(client: httpx.AsyncClient, secret: str, message: Any, **how: Any) -> httpx.Response:  # noqa: ANN401 - JSON
    body = message if isinstance(message, str) else json.dumps(message)
    return await client.post(URL, content=body, headers=signed(body, secret, **how))


def last(gateway: MemoryGateway) -> DeploymentRequested:
    event = gateway.log.at(gateway.log.length).event
    assert isinstance(event, DeploymentRequested)
    return event


@pytest.mark.parametrize(
    ("message", "environment", "source"),
    [
        ({"branch": "main", "environment": "staging"}, "staging", {"ref": "main"}),
        ({"ref": "v1.0", "environment": "production"}, "production", {"ref": "v1.0"}),
        ({"commit": COMMIT}, "production", {"commit": COMMIT}),
        ({"branch": "develop", "commit": COMMIT}, "preview", {"ref": "develop", "commit": COMMIT}),
        ({"ref": "refs/heads/develop"}, "preview", {"ref": "develop"}),
        ({}, "production", {}),
    ],
)
async def test_a_signed_message_is_deployed(message: dict[str, str], environment: str, source: dict[str, str]) -> None:
    async with shop() as (gateway, client, secret):
        owner = {"Authorization": f"Bearer {TOKEN}"}
        path = "/api/v1/projects/shop/environments/preview"
        await client.put(path, json={"branches": ["develop"]}, headers=owner)
        answer = await send(client, secret, message)
    assert answer.status_code == 202, answer.text
    assert answer.json()["projects"][0]["environment"] == environment
    event = last(gateway)
    assert event.source == GitSource(repository=REPOSITORY, **source)
    assert event.trigger == "webhook"


async def test_the_same_message_again_is_the_same_deployment_and_another_id_another() -> None:
    async with shop() as (gateway, client, secret):
        first = await send(client, secret, {"commit": COMMIT})
        again = await send(client, secret, {"commit": COMMIT}, age=timedelta(minutes=4))
        other = await send(client, secret, {"commit": COMMIT}, identity="msg_2")
        reused = await send(client, secret, {"ref": "another"} | {"environment": "production"})
    assert (first.status_code, first.text) == (202, again.text)
    assert first.text != other.text
    assert "idempotency" not in reused.json()["sentence"]
    assert reused.json()["projects"][0]["outcome"] == "ignored"
    assert gateway.types().count("deployment.requested.v1") == 3


async def test_a_branch_that_no_environment_takes_is_explained() -> None:
    async with shop() as (gateway, client, secret):
        end = gateway.log.length
        answer = await send(client, secret, {"branch": "other"})
    assert (answer.status_code, "No environment takes" in answer.text) == (200, True)
    assert gateway.log.length == end


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,not base64!"},
        {"webhook-signature": "nonsense"},
        {"webhook-signature": "v1,a,b v2"},
        {"webhook-signature": "v1," + "A" * 43 + "="},
        {"webhook-id": "another"},
        {"webhook-id": ""},
        {"webhook-timestamp": "0"},
        {"webhook-timestamp": "nan"},
        {"webhook-timestamp": "1e400"},
        {"webhook-timestamp": "yesterday"},
    ],
)
async def test_without_the_right_signature_nothing_is_appended(changes: dict[str, str]) -> None:
    async with shop() as (gateway, client, secret):
        end = gateway.log.length
        answer = await client.post(URL, content="{}", headers={**signed("{}", secret), **changes})
        bare = await client.post(URL, content="{}")
    assert (answer.status_code, bare.status_code) == (401, 401)
    assert gateway.log.length == end


@pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(minutes=-6)])
async def test_a_message_that_is_too_old_or_from_the_future_is_refused(age: timedelta) -> None:
    async with shop() as (gateway, client, secret):
        answer = await send(client, secret, {}, age=age)
    assert answer.status_code == 401
    assert gateway.types().count("deployment.requested.v1") == 1


async def test_strangers_are_not_told_which_projects_there_are() -> None:
    async with shop() as (gateway, client, secret):
        headers = signed("{}", "whsec_" + "QUJD" * 8)
        answers = [
            await client.post(f"/api/webhooks/{slug}", content="{}", headers=headers) for slug in ("shop", "none")
        ]
        other = await client.post("/api/webhooks/none", content="{}", headers=signed("{}", secret))
    assert answers[0].text == answers[1].text == other.text
    assert {one.status_code for one in (*answers, other)} == {401}
    assert gateway.types().count("deployment.requested.v1") == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("{", 400),
        ("[]", 422),
        ('{"ref": "a..b"}', 422),
        ('{"ref": "a", "branch": "b"}', 422),
        ('{"commit": "main"}', 422),
        ('{"environment": "../x"}', 422),
        ('{"surprise": 1}', 422),
        ('{"ref": "' + "x" * 10_000 + '"}', 422),
    ],
)
async def test_a_signed_body_that_cannot_be_is_refused(body: str, status: int) -> None:
    async with shop() as (gateway, client, secret):
        end = gateway.log.length
        answer = await send(client, secret, body)
    assert answer.status_code == status, answer.text
    assert answer.json()["next"]
    assert gateway.log.length == end


async def test_bytes_that_are_no_text_are_refused() -> None:
    async with shop() as (_, client, secret):
        answer = await client.post(URL, content=b"\xff\xfe", headers=signed("{}", secret))
        long = await send(client, secret, {}, identity="x" * 201)
    assert (answer.status_code, long.status_code) == (401, 422)


async def test_who_may_configure_is_told_addresses_and_secrets_and_nobody_else_is(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with command_for(gateway, tmp_path) as command:
        await command("deploy", "--git", REPOSITORY, "--no-wait")
        shown = await command("webhook", "shop")
        told = await command("webhook", "shop", "--json")
        unknown = await command("webhook", "none")
    github, other = told.document["github"], told.document["signed"]
    assert github["url"] == "http://windlass.localhost:8080/api/github/webhook"
    assert github["secret"] == gateway.webhook_keys.github_secret
    assert other["url"] == "http://windlass.localhost:8080/api/webhooks/shop"
    assert other["secret"].startswith("whsec_")
    for part in (github["secret"], other["secret"], "application/json", "Host: windlass.localhost"):
        assert part in shown.out
    assert unknown.code == 1
    async with gateway.client(None) as client:
        assert (await client.get("/projects/shop/webhooks")).status_code == 401
