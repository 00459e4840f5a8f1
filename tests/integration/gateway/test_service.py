"""The gateway as a service: on real NATS and PostgreSQL, started and stopped as its supervisor does it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx
import pytest
from cryptography.fernet import Fernet

from support.gateway_story import REPOSITORY
from support.nats import seed_of
from windlass_eventlog.jetstream.provisioning import provision
from windlass_gateway.app import serve
from windlass_gateway.entrypoints.server import PortTakenError, listen

TOKEN = "wl-service-token"  # noqa: S105 - of this test's own gateway
DEPLOY = {"git": REPOSITORY, "ref": "main", "variables": {"A": "secret value"}}


@pytest.fixture
async def port(
    nats_url: str, database_url: str, tmp_path: Path, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> int:
    """Provision, put the settings into the environment, and return the gateway's port."""
    await provision(nats_url)
    keys, chosen = tmp_path / "keys", free_port()
    keys.write_bytes(Fernet.generate_key())
    settings = {
        "INSTALLATION": "0a1b2c3d",
        "TEAM": str(uuid4()),
        "NODE": "here",
        "HOME": str(tmp_path),
        "NATS_URL": nats_url,
        "NATS_SEED_FILE": str(seed_of("gateway", tmp_path)),
        "DATABASE_URL": database_url,
        "SECRETS_KEYS_FILE": str(keys),
        "SESSION_KEYS_FILE": str(keys),
        "WEBHOOK_KEY": "k" * 32,
        "GATEWAY_PORT": str(chosen),
        "API_TOKEN_SHA256": sha256(TOKEN.encode()).hexdigest(),
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"WINDLASS_{name}", value)
    return chosen


@asynccontextmanager
async def running(port: int) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of the service while it runs; leaving stops it as SIGTERM does."""
    started = asyncio.Event()
    service = asyncio.ensure_future(serve(started.set))
    ready = asyncio.ensure_future(started.wait())
    await asyncio.wait({service, ready}, return_when=asyncio.FIRST_COMPLETED)
    if service.done():
        ready.cancel()
        service.result()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", headers=headers, timeout=60) as client:
            yield client
    finally:
        service.cancel()
        await asyncio.wait({service})
        assert service.cancelled()


async def test_what_was_accepted_is_there_after_a_restart(port: int) -> None:
    key = {"Idempotency-Key": "one"}
    async with running(port) as client:
        accepted = await client.post("/deployments", json=DEPLOY, headers=key)
        assert accepted.status_code == 202, accepted.text
        canceled = await client.post(f"/deployments/{accepted.json()['deployment'][:6]}/cancel")
        assert canceled.status_code == 200, canceled.text
    async with running(port) as client:
        again = await client.post("/deployments", json=DEPLOY, headers=key)
        path = f"/deployments/{accepted.json()['deployment']}"
        view = (await client.get(path, params={"at_least": canceled.json()["sequence"]})).json()
        status = (await client.get("/status")).json()
        events = (await client.get("/events")).text.splitlines()
    assert again.json() == accepted.json()
    assert (view["phase"], view["variables"], view["project"]) == ("canceled", ["A"], "shop")
    assert (status["log"]["ready"], status["log"]["lag"], len(events)) == (True, 0, 5)
    assert "secret value" not in "".join(events)


async def test_many_requests_at_once_are_each_accepted_once(port: int) -> None:
    async with running(port) as client:
        answers = await asyncio.gather(*(client.post("/deployments", json=DEPLOY) for _ in range(12)))
        projects = (
            await client.get("/projects", params={"at_least": max(one.json()["sequence"] for one in answers)})
        ).json()
        listed = (await client.get("/deployments")).json()
    assert [answer.status_code for answer in answers] == [202] * 12
    assert (len(projects), len({UUID(one["id"]) for one in listed})) == (1, 12)


async def test_a_stream_that_is_followed_ends_in_order_when_the_service_stops(port: int) -> None:
    url, headers = f"http://127.0.0.1:{port}/api/v1/events", {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(headers=headers, timeout=60) as outside:
        async with running(port) as client:
            await client.post("/deployments", json=DEPLOY)
            request = outside.build_request("GET", url, params={"follow": "true", "after": 0})
            answer = await outside.send(request, stream=True)
            lines = answer.aiter_lines()
            first = await anext(lines)
        rest = [line async for line in lines]
        await answer.aclose()
    assert "project.created.v1" in first
    assert len(rest) == 3


async def test_links_sessions_and_tokens_hold_across_a_restart(port: int) -> None:
    own = {"Host": "windlass.localhost", "Origin": "http://windlass.localhost", "Sec-Fetch-Site": "same-origin"}
    async with running(port) as client:
        (token,) = parse_qs(urlsplit((await client.post("/sign-in-links")).json()["url"]).query)["token"]
        kept = (await client.post("/tokens", json={"name": "kept", "permissions": ["read"]})).json()
        lost = (await client.post("/tokens", json={"name": "lost", "permissions": ["read"]})).json()
        assert (await client.delete(f"/tokens/{lost['id']}")).status_code == 200
        page, form = f"http://127.0.0.1:{port}/sign-in", {"token": token}
        answers = await asyncio.gather(*(client.post(page, data=form, headers=own) for _ in range(5)))
    assert sorted(one.status_code for one in answers) == [303, 410, 410, 410, 410]
    (cookie,) = (one.headers["set-cookie"].partition(";")[0] for one in answers if "set-cookie" in one.headers)
    async with running(port) as client:
        again = await client.post(page, data=form, headers=own)
        inside = await client.get(page, headers={**own, "Cookie": cookie})
        statuses = [
            (await client.get("/projects", headers={"Authorization": f"Bearer {one['token']}"})).status_code
            for one in (kept, lost)
        ]
    assert (again.status_code, inside.status_code, inside.headers["location"]) == (410, 303, "/")
    assert statuses == [200, 401]


async def test_a_port_that_is_taken_is_said(port: int) -> None:
    async with running(port):
        with pytest.raises(PortTakenError, match="WINDLASS_GATEWAY_PORT"):
            await serve(lambda: None)


def test_answers_are_sent_without_waiting_for_acknowledgements() -> None:
    with listen(0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
