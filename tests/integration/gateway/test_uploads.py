"""Uploads of folders: stored whole under their digest or not at all, and named by deployments."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from support.gateway_story import REPOSITORY
from support.memory_gateway import MemoryGateway
from windlass_contracts.events import DeploymentRequested
from windlass_contracts.events.deployment import UploadSource
from windlass_eventlog.memory.buckets import MemoryObjects
from windlass_gateway.application import uploads

CONTENT = b"a packed folder" * 100_000  # more than any other request may have
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


@pytest.fixture
def gateway() -> MemoryGateway:
    return MemoryGateway()


@pytest.fixture
async def client(gateway: MemoryGateway) -> AsyncIterator[httpx.AsyncClient]:
    async with gateway.client() as opened:
        yield opened


def requested(gateway: MemoryGateway) -> DeploymentRequested:
    event = gateway.log.at(gateway.log.length).event
    assert isinstance(event, DeploymentRequested)
    return event


async def deployed(client: httpx.AsyncClient, **fields: Any) -> httpx.Response:  # noqa: ANN401 - JSON
    return await client.post("/deployments", json={"upload": DIGEST, "project": "shop", **fields})


async def test_an_upload_is_stored_under_its_digest_and_deployed(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    assert (await client.get(f"/uploads/{DIGEST}")).status_code == 404
    answer = await client.put(f"/uploads/{DIGEST}", content=CONTENT)
    assert answer.json() == {"digest": DIGEST, "size_bytes": len(CONTENT)}
    assert (await client.get(f"/uploads/{DIGEST}")).status_code == 200
    assert (await deployed(client)).status_code == 202
    source = requested(gateway).source
    assert isinstance(source, UploadSource)
    assert (source.digest, source.size_bytes) == (DIGEST, len(CONTENT))
    assert b"".join([piece async for piece in gateway.objects.get(source.key)]) == CONTENT
    project = (await client.get("/projects/shop")).json()
    assert project["repository"] is None


async def test_sent_again_it_is_the_same_and_not_read(client: httpx.AsyncClient) -> None:
    assert (await client.put(f"/uploads/{DIGEST}", content=CONTENT)).status_code == 200
    assert (await client.put(f"/uploads/{DIGEST}", content=b"")).json()["size_bytes"] == len(CONTENT)


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"x", b"another"])
async def test_what_has_another_digest_is_refused_and_leaves_nothing(
    gateway: MemoryGateway, client: httpx.AsyncClient, content: bytes
) -> None:
    answer = await client.put(f"/uploads/{DIGEST}", content=content)
    assert (answer.status_code, answer.json()["field"]) == (422, "digest")
    assert (await client.get(f"/uploads/{DIGEST}")).status_code == 404
    assert (await deployed(client)).json()["field"] == "upload"
    assert gateway.log.length == 0


@pytest.mark.parametrize(
    "digest", ["sha256:abc", "md5:" + "0" * 32, "..", "sha256:" + "0" * 64 + "/x", "sha256:" + "G" * 64]
)
async def test_what_is_no_digest_is_no_place(client: httpx.AsyncClient, digest: str) -> None:
    assert (await client.put(f"/uploads/{digest}", content=b"x")).status_code in {404, 405, 413, 422}


async def test_more_than_may_come_is_refused_by_what_it_says(client: httpx.AsyncClient) -> None:
    headers = {"Content-Length": str(512 * 2**20 + 1)}
    answer = await client.put(f"/uploads/{DIGEST}", content=b"x", headers=headers)
    assert answer.status_code == 413


async def test_nobody_uploads_who_may_not_deploy(gateway: MemoryGateway, client: httpx.AsyncClient) -> None:
    made = (await client.post("/tokens", json={"name": "reader", "permissions": ["read"], "expires_at": None})).json()
    async with gateway.client(made["token"]) as reader:
        assert (await reader.put(f"/uploads/{DIGEST}", content=CONTENT)).status_code == 403
        assert (await reader.get(f"/uploads/{DIGEST}")).status_code == 403
    async with gateway.client(None) as stranger:
        assert (await stranger.put(f"/uploads/{DIGEST}", content=CONTENT)).status_code == 401


@pytest.mark.parametrize(
    "fields", [{"git": REPOSITORY}, {"ref": "main"}, {"project": None}, {"upload": None}, {"upload": "nonsense"}]
)
async def test_a_deployment_is_of_one_thing_and_an_upload_of_a_named_project(
    gateway: MemoryGateway, client: httpx.AsyncClient, fields: dict[str, Any]
) -> None:
    await client.put(f"/uploads/{DIGEST}", content=CONTENT)
    assert (await deployed(client, **fields)).status_code == 422
    assert gateway.log.length == 0


async def test_an_upload_is_deployed_again_as_long_as_it_is_there(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    await client.put(f"/uploads/{DIGEST}", content=CONTENT)
    first = (await deployed(client)).json()["deployment"]
    source = requested(gateway).source
    assert isinstance(source, UploadSource)
    assert (await client.post(f"/deployments/{first}/redeploy")).status_code == 202
    assert requested(gateway).source == source
    await gateway.objects.delete(source.key)
    answer = await client.post(f"/deployments/{first}/redeploy")
    assert (answer.status_code, answer.json()["field"]) == (404, "upload")


async def test_the_same_key_is_the_same_deployment_and_never_of_something_else(client: httpx.AsyncClient) -> None:
    await client.put(f"/uploads/{DIGEST}", content=CONTENT)
    headers, body = {"Idempotency-Key": "one"}, {"upload": DIGEST, "project": "shop"}
    first = (await client.post("/deployments", json=body, headers=headers)).json()
    assert (await client.post("/deployments", json=body, headers=headers)).json() == first
    other = {"git": REPOSITORY, "project": "shop"}
    assert (await client.post("/deployments", json=other, headers=headers)).status_code == 409


def addressed(content: bytes) -> str:
    return f"/uploads/sha256:{hashlib.sha256(content).hexdigest()}"


async def test_so_much_waits_for_a_deployment_and_no_more(
    gateway: MemoryGateway, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_WAITING_BYTES", 2 * len(CONTENT))
    second, third = CONTENT[:-1] + b"2", CONTENT[:-1] + b"3"
    for content in (CONTENT, second, CONTENT):  # what is there is not counted again
        assert (await client.put(addressed(content), content=content)).status_code == 200

    refused = await client.put(addressed(third), content=third)
    assert (refused.status_code, refused.json()["code"]) == (429, "too-much-uploaded")
    assert "24 hours" in refused.json()["next"]
    asked = await client.get(addressed(third), params={"size_bytes": len(third)})
    assert asked.json() == refused.json()
    assert (await client.get(addressed(third))).status_code == 404
    assert (await client.get(addressed(CONTENT), params={"size_bytes": len(CONTENT)})).status_code == 200

    assert (await deployed(client)).status_code == 202
    assert (await client.put(addressed(third), content=third)).status_code == 200
    assert gateway.gateway.arriving.total == 0


async def test_what_arrives_at_the_same_time_counts_as_large_as_it_may_be(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_WAITING_BYTES", uploads.MAX_UPLOAD_BYTES)
    inside, on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:  # sent in chunks: nobody knows how much will come
        yield CONTENT
        inside.set()
        await on.wait()

    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(client.put(addressed(CONTENT), content=slow()))
        async with asyncio.timeout(60):
            await inside.wait()
        assert (await client.put(addressed(b"x"), content=b"x")).status_code == 429
        on.set()
    assert first.result().status_code == 200
    assert (await client.put(addressed(b"x"), content=b"x")).status_code == 200


async def test_a_full_store_says_so_and_what_to_do() -> None:
    gateway = MemoryGateway(objects=MemoryObjects(budget=len(CONTENT) - 1))
    async with gateway.client() as client:
        answer = await client.put(addressed(CONTENT), content=CONTENT)
        assert (answer.status_code, answer.json()["code"]) == (507, "store-full")
        assert "OBJ_OBJECTS" in answer.json()["next"]
        assert (await client.put(addressed(b"x"), content=b"x")).status_code == 200
