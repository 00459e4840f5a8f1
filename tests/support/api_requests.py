"""Requests to the API, and the problems that it answers with."""

from typing import Any

import httpx

from support.gateway_story import REPOSITORY

JSON = {"Content-Type": "application/json"}
DEPLOY = {"git": REPOSITORY, "ref": "main"}


async def deploy(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON of a request
    answer = await client.post("/deployments", json={**DEPLOY, **changes})
    assert answer.status_code == 202, answer.text
    accepted: dict[str, Any] = answer.json()
    return accepted


def assert_problem(answer: httpx.Response, status: int, field: str | None = None) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["title"]
    assert problem["detail"]
    assert problem["next"]
    if field is not None:
        assert problem["field"] == field
    return problem
