"""What the API refuses, whoever asks: no token, no JSON, no such field, too much."""

import json
from typing import Any

import pytest

from support.api_requests import DEPLOY, JSON, assert_problem
from support.memory_gateway import MemoryGateway
from windlass_gateway.entrypoints.body_limit import MAX_BODY_BYTES


@pytest.mark.parametrize("token", [None, "", "wrong", "ü", "x" * 5_000])
async def test_without_the_right_token_nothing_is_answered_but_how_to_get_it(token: str | None) -> None:
    gateway = MemoryGateway()
    async with gateway.client(None) as client:
        headers = {} if token is None else {b"Authorization": b"Bearer " + token.encode()}
        for method, path in (("POST", "/deployments"), ("GET", "/projects"), ("GET", "/events"), ("GET", "/status")):
            answer = await client.request(method, path, headers=headers, json=DEPLOY)
            assert "windlass up" in assert_problem(answer, 401, "Authorization")["next"]
            assert answer.headers["www-authenticate"] == "Bearer"
    assert gateway.types() == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"git": "nonsense"}, "git"),
        ({"git": "https://user:hunter2@host/owner/shop"}, "git"),
        ({"git": "https://host/" + "x" * 3_000}, "git"),
        ({"git": 7}, "git"),
        ({"ref": "-o evil"}, "ref"),
        ({"ref": "a..b"}, "ref"),
        ({"project": "windlass"}, "project"),
        ({"project": "<b>"}, "project"),
        ({"project": "a--b"}, "project"),
        ({"environment": "../etc"}, "environment"),
        ({"config": {"port": 0}}, "config.port"),
        ({"config": {"start_command": "a\x00b"}}, "config.start_command"),
        ({"config": {"limits": {"memory_mib": 10**30}}}, "config.limits.memory_mib"),
        ({"config": {"surprise": 1}}, "config.surprise"),
        ({"config": {"pre_deploy_command": "migrate\x1b"}}, "config.pre_deploy_command"),
        ({"config": {"pre_deploy_command": "x" * 10_001}}, "config.pre_deploy_command"),
        ({"variables": {"1A": "x"}}, None),
        ({"variables": {"A": "x\x00"}}, "variables.A"),
        ({"variables": {"A": "x" * 70_000}}, "variables.A"),
        ({"variables": {"A": "\ud800"}}, None),
        ({"surprise": True}, "surprise"),
    ],
)
async def test_a_request_that_is_not_valid_names_the_field_and_changes_nothing(
    changes: dict[str, Any], field: str | None
) -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        answer = await client.post("/deployments", content=json.dumps({**DEPLOY, **changes}), headers=JSON)
    problem = assert_problem(answer, 422, field)
    assert "hunter2" not in answer.text
    assert len(problem["detail"]) <= 300
    assert gateway.types() == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"git": NaN}', b'"' + b"x" * 1_000 + b'"']
)
async def test_a_body_that_is_no_request_is_refused(body: bytes) -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        answer = await client.post("/deployments", content=body, headers=JSON)
    assert answer.status_code in {400, 422}
    assert answer.json()["next"]
    assert gateway.types() == []


async def test_a_body_that_is_too_large_is_not_read() -> None:
    gateway = MemoryGateway()

    async def pieces() -> Any:  # noqa: ANN401 - an async generator of bytes
        for _ in range(MAX_BODY_BYTES // 65_536 + 2):
            yield b"x" * 65_536

    async with gateway.client() as client:
        announced = await client.post("/deployments", content=b"x" * (MAX_BODY_BYTES + 1))
        streamed = await client.post("/deployments", content=pieces(), headers=JSON)
    assert_problem(announced, 413)
    assert_problem(streamed, 413)


async def test_unknown_paths_and_methods_are_answered_as_problems() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        assert_problem(await client.get("/nothing"), 404)
        assert_problem(await client.put("/deployments"), 405)


async def test_an_error_that_nobody_foresaw_says_nothing_of_its_inside() -> None:
    gateway = MemoryGateway()
    gateway.app.state.context = None
    async with gateway.client() as client:
        answer = await client.get("/projects")
    assert_problem(answer, 500)
    assert "NoneType" not in answer.text
