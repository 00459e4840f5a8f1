"""What is refused and what operators do is found in AUDIT, and nothing there that somebody wrote."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from pydantic import TypeAdapter

from support.command import command_for
from support.gateway_story import REPOSITORY
from support.memory_gateway import DASHBOARD, TOKEN, MemoryGateway
from windlass_eventlog.audit import AuditEntry
from windlass_eventlog.memory import MemoryAudit
from windlass_gateway.entrypoints.endpoints import templates

from .test_service import port, running

__all__ = ["port"]

SECRET = "hunter2-" + "s3cr3t" * 5


@dataclass(frozen=True)
class ToldAudit(MemoryAudit):
    """Tells what it keeps."""

    told: "asyncio.Queue[AuditEntry]" = field(default_factory=asyncio.Queue)

    async def append(self, entry: AuditEntry) -> None:
        await super().append(entry)
        self.told.put_nowait(entry)

    async def next(self) -> AuditEntry:
        async with asyncio.timeout(60):
            return await self.told.get()


@asynccontextmanager
async def audited() -> AsyncIterator[tuple[MemoryGateway, ToldAudit]]:
    audit = ToldAudit()
    gateway = MemoryGateway(audit=audit)
    running = asyncio.create_task(gateway.auditing.run())
    try:
        yield gateway, audit
    finally:
        running.cancel()
        await asyncio.wait({running})


@asynccontextmanager
async def stranger(gateway: MemoryGateway, address: str, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(gateway.app, raise_app_exceptions=False, client=(address, 1234))
    async with httpx.AsyncClient(transport=transport, base_url=DASHBOARD, headers=headers) as client:
        yield client


def seen(entry: AuditEntry) -> tuple[str, str, str, int, str]:
    return entry.outcome, entry.operation, entry.code, entry.status, entry.actor


async def test_a_wrong_token_is_noted_with_the_network_alone_and_never_itself() -> None:
    async with audited() as (gateway, audit), stranger(gateway, "198.51.100.77") as client:
        refused = await client.get("/api/v1/projects", headers={"Authorization": f"Bearer {SECRET}"})
        entry = await audit.next()
    assert refused.json()["code"] == "unauthenticated"
    assert seen(entry) == ("refused", "GET /api/v1/projects", "unauthenticated", 401, "anonymous")
    assert entry.network == "198.51.100.0/24"
    assert SECRET not in entry.model_dump_json()


async def test_a_refused_command_names_its_actor_and_template_and_no_value() -> None:
    async with audited() as (gateway, audit), gateway.client() as client:
        await client.put(f"/projects/{'s' * 30}/variables/{SECRET}?q={SECRET}", json={"value": SECRET, SECRET: 1})
        entry = await audit.next()
    operation = "PUT /api/v1/projects/{slug}/variables/{name}"
    assert seen(entry) == ("refused", operation, "invalid-input", 422, "token:installation")
    assert SECRET not in entry.model_dump_json()
    assert "sss" not in entry.model_dump_json()


async def test_what_may_be_read_and_is_not_there_is_no_matter_and_neither_is_success() -> None:
    async with audited() as (gateway, audit), gateway.client() as client:
        assert (await client.get("/projects/nothing")).status_code == 404
        assert (await client.post("/deployments", json={"git": REPOSITORY, "ref": "main"})).is_success
        await client.post("/deployments/ffffffff/cancel")
        assert (await audit.next()).code == "deployment-not-found"
    assert audit.told.empty()


async def test_a_token_that_may_not_is_noted_under_its_id() -> None:
    async with audited() as (gateway, audit), gateway.client() as owner:
        made = (await owner.post("/tokens", json={"name": "CI", "permissions": ["read"], "expires_at": None})).json()
        async with gateway.client(made["token"]) as client:
            assert (await client.get("/audit")).status_code == 403
        entry = await audit.next()
    assert seen(entry) == ("refused", "GET /api/v1/audit", "forbidden", 403, f"token:{made['id']}")


async def test_forged_forms_and_forms_without_a_session_are_noted() -> None:
    async with audited() as (gateway, audit):
        async with gateway.browser() as browser:
            await browser.post("/sign-out", data={"csrf": SECRET})
            forged = await audit.next()
        async with gateway.browser({}) as browser:
            assert (await browser.get("/")).status_code == 303
            assert (await browser.post("/sign-out", data={"csrf": SECRET})).status_code == 303
            outside = await audit.next()
    assert seen(forged) == ("refused", "POST /sign-out", "forged-form", 403, f"person:{gateway.owner}")
    assert seen(outside) == ("refused", "POST /sign-out", "sign-in-required", 401, "anonymous")
    assert audit.told.empty()


async def test_a_form_whose_page_shows_the_refusal_itself_is_noted_by_the_same_code() -> None:
    async with audited() as (gateway, audit):
        session = gateway.session()
        async with gateway.browser(gateway.signed_in(session)) as browser:
            await browser.post(
                "/settings/tokens", data={"csrf": session.csrf, "name": SECRET * 20, "permissions": "read"}
            )
            entry = await audit.next()
    assert (entry.operation, entry.code, entry.status) == ("POST /settings/tokens", "invalid-input", 422)
    assert SECRET not in entry.model_dump_json()


async def test_refused_sign_ins_are_noted_without_their_links() -> None:
    async with audited() as (gateway, audit), gateway.browser({}) as browser:
        assert (await browser.get("/sign-in", params={"token": SECRET})).status_code == 410
        looked = await audit.next()
        assert (await browser.post("/sign-in", data={"token": SECRET})).status_code == 410
        used = await audit.next()
    assert [seen(one)[1:4] for one in (looked, used)] == [
        ("GET /sign-in", "link-unknown", 410),
        ("POST /sign-in", "link-unknown", 410),
    ]
    assert SECRET not in looked.model_dump_json() + used.model_dump_json()


async def test_bad_signatures_of_webhooks_are_noted() -> None:
    async with audited() as (gateway, audit), stranger(gateway, "2001:db8:1:2::3") as client:
        await client.post("/api/github/webhook", content=b"{}", headers={"X-Hub-Signature-256": f"sha256={SECRET}"})
        github = await audit.next()
        await client.post(f"/api/webhooks/{SECRET}", content=b"{}")
        signed = await audit.next()
    assert seen(github) == ("refused", "POST /api/github/webhook", "unsigned-webhook", 401, "anonymous")
    assert signed.code == "unsigned-webhook"
    assert github.network == "2001:db8:1::/48"
    assert SECRET not in github.model_dump_json() + signed.model_dump_json()


HOSTILE: list[tuple[str, str, dict[str, str], str]] = [
    ("POST", "/%0d%0aINFO%20all%20is%20well", {}, "not-found"),
    ("POST", "/api/v1/projects", {"Host": "evil.example\x1b[2J"}, "misdirected-request"),
    ("POST", "/api/v1/deployments", {"Content-Length": "99999999999"}, "request-entity-too-large"),
    ("POST", "/api/v1/deployments", {"X-Huge": SECRET * 2_000}, "unauthenticated"),
    ("POST", "/api/v1/deployments", {"Authorization": f"Basic {SECRET}"}, "unauthenticated"),
    ("EVIL\x1b[2J", "/api/v1/deployments", {}, "method-not-allowed"),
    ("DELETE", "/sign-in", {"User-Agent": SECRET}, "method-not-allowed"),
]


async def test_whatever_is_sent_an_entry_is_ours_alone() -> None:
    async with audited() as (gateway, audit), stranger(gateway, "evil\r\n[2J") as client:
        for method, path, headers, code in HOSTILE:
            await client.request(method, path, headers=headers)
            entry = await audit.next()
            assert (entry.code.replace("content-too", "request-entity-too"), entry.network) == (code, "unknown")
            written = entry.model_dump_json()
            assert not [one for one in (SECRET, "evil", "EVIL", "INFO", "\\u001b", "\\r") if one in written]


async def test_on_real_servers_a_refusal_is_read_back_with_the_rights_of_the_gateway(port: int) -> None:
    async with running(port) as client:
        await client.post("/deployments", json={}, headers={"Authorization": f"Bearer {SECRET}"})
        found: list[dict[str, object]] = []
        async with asyncio.timeout(60):
            while not found:
                found = (await client.get("/audit", params={"actor": "anonymous"})).json()
    assert [(one["operation"], one["network"]) for one in found] == [("POST /api/v1/deployments", "127.0.0.0/24")]


def test_every_endpoint_has_a_template_that_an_entry_takes() -> None:
    paths = templates()
    assert "/api/v1/projects/{slug}/variables/{name}" in paths.values()
    operation = TypeAdapter(AuditEntry.model_fields["operation"].rebuild_annotation())
    for template in paths.values():
        operation.validate_python(f"DELETE {template}")


async def test_what_operators_do_is_noted_once_it_is_done() -> None:
    async with audited() as (gateway, audit), gateway.client() as client:
        await client.post("/deployments", json={"git": REPOSITORY, "ref": "main", "variables": {"A": SECRET}})
        (project,) = (await client.get("/projects")).json()
        assert await client.post(
            f"/projects/{project['slug']}/variables/A/shredding", json={"environment": "production"}
        )
        shred = await audit.next()
        assert (await client.post("/keys/rotation")).is_success
        rotated = await audit.next()
        assert (await client.post("/operations", json={"service": "router", "kind": "rebuild"})).is_success
        rebuild = await audit.next()
    assert [seen(one) for one in (shred, rotated, rebuild)] == [
        ("done", "shred", "done", 200, "token:installation"),
        ("done", "keys rotate", "done", 200, "token:installation"),
        ("done", "rebuild router", "done", 202, "token:installation"),
    ]


async def test_the_command_shows_the_newest_first_and_what_it_is_asked_for(tmp_path: Path) -> None:
    async with audited() as (gateway, audit), command_for(gateway, tmp_path) as command:
        async with stranger(gateway, "198.51.100.7") as client:
            await client.post("/api/v1/deployments", json={"git": SECRET})
        await audit.next()
        async with gateway.client() as client:
            await client.post("/deployments", json={"git": 1})
            for wrong in ({"code": "\x1b[2J"}, {"actor": "a.>"}, {"limit": "0"}, {"limit": "1001"}):
                assert (await client.get("/audit", params=wrong)).status_code == 422
        await audit.next()
        everything = await command("audit")
        theirs = await command("audit", "--actor", "anonymous", "--json")
    lines = everything.out.splitlines()
    assert lines[0].split()[:3] == ["WHEN", "STATUS", "CODE"]
    assert "422" in lines[1]
    assert "invalid-input" in lines[1]
    assert "token:installation" in lines[1]
    assert "198.51.100.0/24" in lines[2]
    assert [one["actor"] for one in theirs.document] == ["anonymous"]
    assert TOKEN not in everything.out + theirs.out
