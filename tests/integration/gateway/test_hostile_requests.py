"""Whatever is sent, the answer is a decision or a problem that says why, never an error of ours."""

import json
from urllib.parse import quote

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from support.gateway_story import REPOSITORY
from support.memory_gateway import MemoryGateway

TEXT = st.text(max_size=60) | st.sampled_from(
    [
        "",
        "main",
        "a--b",
        "windlass",
        "\x00",
        "\ud800",
        "../..",
        "<b>",
        "%2e%2e",
        "ext::sh",
        "-x",
        "xn--a",
        "\U0001d41a",
        "\u202e",
        "0" * 40,
    ]
)
URLS = TEXT | st.sampled_from(
    [REPOSITORY, "git@host:a/b", "ssh://git@h:99999/x", "http://[::1]/a", "file:///", "https://h/%zz"]
)
NUMBERS = st.integers() | st.floats() | st.booleans()
ANYTHING = st.recursive(
    TEXT | NUMBERS | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
CONFIG = st.fixed_dictionaries(
    {},
    optional={
        "root": TEXT,
        "start_command": TEXT | st.none(),
        "port": NUMBERS,
        "replicas": NUMBERS,
        "probe": ANYTHING
        | st.fixed_dictionaries({"kind": st.sampled_from(["http", "tcp", "command"])}, optional={"path": TEXT}),
        "limits": ANYTHING | st.fixed_dictionaries({"memory_mib": NUMBERS}),
        "deadlines": ANYTHING | st.fixed_dictionaries({"build_s": NUMBERS}),
    },
)
DEPLOYMENTS = ANYTHING | st.fixed_dictionaries(
    {"git": URLS},
    optional={
        "ref": TEXT | st.none(),
        "project": TEXT | st.none(),
        "environment": TEXT,
        "config": CONFIG,
        "variables": st.dictionaries(TEXT | st.just("A"), TEXT, max_size=3),
        "more": ANYTHING,
    },
)
SOME = settings(max_examples=80)


def assert_answered(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    if answer.is_error:
        problem = answer.json()
        assert problem["detail"]
        assert problem["next"]


def as_json(body: object) -> bytes:
    """Return JSON as a hostile client writes it: NaN, lone surrogates, and all."""
    return json.dumps(body).encode()


@SOME
@given(DEPLOYMENTS)
async def test_any_body_for_a_deployment_is_answered(body: object) -> None:
    gateway = MemoryGateway()
    headers = {"Content-Type": "application/json"}
    async with gateway.client() as client:
        answer = await client.post("/deployments", content=as_json(body), headers=headers)
        assert_answered(answer)
        if answer.is_success:
            seen = await client.get(f"/deployments/{answer.json()['deployment']}")
            assert seen.status_code == 200


@settings(SOME, max_examples=60)
@given(TEXT, TEXT, ANYTHING, TEXT)
async def test_any_name_in_a_path_or_a_query_is_answered(name: str, variable: str, body: object, query: str) -> None:
    gateway = MemoryGateway()
    part, other = quote(name, safe="", errors="replace"), quote(variable, safe="", errors="replace")
    headers = {"Content-Type": "application/json"}
    async with gateway.client() as client:
        await client.post("/deployments", json={"git": REPOSITORY})
        for method, path in (
            ("GET", f"/deployments/{part}"),
            ("GET", f"/deployments/{part}/logs"),
            ("POST", f"/deployments/{part}/cancel"),
            ("GET", f"/projects/{part}"),
            ("POST", f"/projects/{part}/rollback"),
            ("POST", "/projects/shop/rollback"),
            ("PUT", f"/projects/shop/variables/{other}"),
            ("DELETE", f"/projects/{part}/variables/{other}"),
            ("GET", "/deployments"),
            ("GET", "/events"),
        ):
            safe_query = query.encode(errors="replace").decode()
            params = {"project": safe_query, "type": safe_query, "environment": safe_query}
            assert_answered(await client.request(method, path, content=as_json(body), headers=headers, params=params))
