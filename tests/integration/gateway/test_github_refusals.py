"""Deliveries that are not taken from GitHub: without its signature, or without a push that can be read."""

import json
from uuid import uuid4

import pytest

from support.github_scene import scene
from support.github_sender import HEAD, PATH, GitHub, push

OTHER_COMMIT = "b" * 40


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        "sha256=" + "z" * 64,
        "sha256=" + "é" * 64,
        "sha256=" + "0" * 63,
        "sha1=" + "0" * 40,
        "x" * 5_000,
        "another key",
    ],
)
async def test_without_the_right_signature_nothing_is_appended(signature: str | None) -> None:
    body = json.dumps(push()).encode()
    async with scene() as here:
        end = here.gateway.log.length
        given = GitHub(here.client, "another").sign(body) if signature == "another key" else signature
        headers: dict[str, str] = {} if given is None else {"X-Hub-Signature-256": given}
        encoded = {name.encode(): value.encode() for name, value in headers.items()}
        for event in (b"push", b"ping"):
            more = {b"X-GitHub-Event": event, b"X-GitHub-Delivery": b"no id", b"Content-Type": b"application/json"}
            answer = await here.client.post(PATH, content=body, headers={**encoded, **more})
            assert answer.status_code == 401, answer.text
            assert "windlass webhook" in answer.json()["next"]
    assert here.gateway.log.length == end


async def test_a_body_that_was_changed_on_its_way_is_refused() -> None:
    async with scene() as here:
        body = json.dumps(push()).encode()
        headers = {"X-Hub-Signature-256": here.github.sign(body), "X-GitHub-Event": "push"}
        answer = await here.client.post(
            PATH, content=body.replace(HEAD.encode(), OTHER_COMMIT.encode()), headers=headers
        )
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe\x00", 400),
        (b"[" * 100_000, 400),
        (b"payload={}", 400),
        (b"[]", 422),
        (b"null", 422),
        (b"{}", 422),
        (json.dumps(push(commit="nonsense")).encode(), 422),
        (json.dumps(push(repository={"clone_url": "javascript:alert(1)"})).encode(), 422),
        (json.dumps(push(repository={"clone_url": "https://user:hunter2@github.com/x"})).encode(), 422),
        (json.dumps(push(repository={})).encode(), 422),
        (json.dumps(push(head_commit=7)).encode(), 422),
    ],
)
async def test_a_signed_body_that_is_no_push_is_refused(body: bytes, status: int) -> None:
    async with scene() as here:
        end = here.gateway.log.length
        answer = await here.github.deliver(body)
    assert answer.status_code == status, answer.text
    assert answer.json()["next"]
    assert "hunter2" not in answer.text
    assert here.gateway.log.length == end


async def test_a_delivery_without_an_id_is_refused() -> None:
    async with scene() as here:
        answer = await here.github.deliver(push(), delivery="<script>")
    assert (answer.status_code, answer.json()["field"]) == (422, "X-GitHub-Delivery")
    assert here.requests() == []


async def test_a_form_without_a_payload_is_refused() -> None:
    async with scene() as here:
        body = b"a=1"
        headers = {
            "X-Hub-Signature-256": here.github.sign(body),
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": str(uuid4()),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        answer = await here.client.post(PATH, content=body, headers=headers)
    assert answer.status_code == 400
