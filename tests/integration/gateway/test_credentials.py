"""Credentials of projects: secrets go into the vault, and come out nowhere; keys are made here."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

from support.memory_gateway import MemoryGateway
from windlass_contracts.events import CredentialRemoved, CredentialSet
from windlass_eventlog.clock import utc_now
from windlass_eventlog.errors import SecretShreddedError
from windlass_eventlog.memory import MemoryKeyValue
from windlass_gateway.application.orphans import SAFE_AGE, OrphanSweeper

PATH = "/projects/shop/credentials"
LOGIN = {"kind": "https", "host": "git.example.com", "user": "robot", "password": "hunter2"}


@pytest.fixture
def gateway() -> MemoryGateway:
    return MemoryGateway()


@pytest.fixture
async def client(gateway: MemoryGateway) -> AsyncIterator[httpx.AsyncClient]:
    async with gateway.client() as opened:
        body = {"git": "git@git.example.com:harbour/shop.git", "project": "shop"}
        assert (await opened.post("/deployments", json=body)).status_code == 202
        yield opened


def last(gateway: MemoryGateway) -> Any:  # noqa: ANN401 - whichever event it is
    return gateway.log.at(gateway.log.length).event


async def revealed(gateway: MemoryGateway, secret: UUID) -> Any:  # noqa: ANN401 - JSON
    return json.loads(await gateway.vault.reveal(secret))


async def test_a_deploy_key_is_made_here_and_only_its_public_half_is_shown(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    made = (await client.post(PATH, json={"kind": "deploy-key"})).json()
    event = last(gateway)
    assert isinstance(event, CredentialSet)
    assert (event.host, event.public_key) == ("git.example.com", made["public_key"])
    private = (await revealed(gateway, event.secret))["private_key"]
    public = load_ssh_private_key(private.encode(), None).public_key()
    assert public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() == made["public_key"]
    assert "git.example.com" in made["next"]
    listed = await client.get(PATH)
    assert [(one["kind"], one["public_key"]) for one in listed.json()] == [("deploy-key", made["public_key"])]
    assert "PRIVATE" not in listed.text + json.dumps(made)


async def test_a_token_goes_in_and_never_comes_out(gateway: MemoryGateway, client: httpx.AsyncClient) -> None:
    done = await client.post(PATH, json=LOGIN)
    event = last(gateway)
    assert await revealed(gateway, event.secret) == {"user": "robot", "password": "hunter2"}
    assert "hunter2" not in done.text + (await client.get(PATH)).text + event.model_dump_json()
    stored = [await gateway.secrets.get(str(event.secret))]
    assert all(b"hunter2" not in (value or b"") for value in stored)


async def test_what_is_replaced_or_taken_back_is_shredded(gateway: MemoryGateway, client: httpx.AsyncClient) -> None:
    await client.post(PATH, json=LOGIN)
    first = last(gateway).secret
    await client.post(PATH, json={**LOGIN, "password": "other"})
    second = last(gateway).secret
    with pytest.raises(SecretShreddedError):
        await gateway.vault.reveal(first)
    assert (await client.delete(f"{PATH}/https", params={"host": "git.example.com"})).status_code == 200
    assert isinstance(last(gateway), CredentialRemoved)
    with pytest.raises(SecretShreddedError):
        await gateway.vault.reveal(second)
    again = await client.delete(f"{PATH}/https", params={"host": "git.example.com"})
    assert (again.status_code, again.json()["field"]) == (404, "host")
    assert (await client.get(PATH)).json() == []


async def test_the_sweep_for_orphans_keeps_what_a_credential_is(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    await client.post(PATH, json=LOGIN)
    nobodys = await gateway.vault.store("left by a command that died")
    later = replace(gateway.gateway, clock=lambda: utc_now() + 2 * SAFE_AGE)
    swept = await OrphanSweeper(later, MemoryKeyValue()).sweep()
    assert swept.secrets == (nobodys,)
    assert await gateway.vault.has(last(gateway).secret)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "deploy-key", "password": "mine"}, None),
        ({"kind": "password"}, "kind"),
        ({"kind": "https", "password": "x"}, "host"),  # the repository is fetched by SSH
        ({"kind": "registry", "user": "robot", "password": "x"}, "host"),
        ({**LOGIN, "host": "https://git.example.com"}, "host"),
        ({**LOGIN, "host": "git.example.com/team"}, "host"),
        ({**LOGIN, "host": "git.example.com:99999"}, "host"),
        ({**LOGIN, "host": "10.0.0.1"}, "host"),
        ({**LOGIN, "host": "-oProxyCommand=x"}, "host"),
        ({**LOGIN, "password": "two\nlines"}, "password"),
        ({**LOGIN, "password": "nul\x00"}, "password"),
        ({**LOGIN, "password": ""}, "password"),
        ({**LOGIN, "password": "x" * 9_000}, "password"),
        ({**LOGIN, "user": "a\rb"}, "user"),
        ({"kind": "https", "host": "git.example.com"}, "password"),
        ({"kind": "registry", "host": "ghcr.io", "password": "x"}, "user"),
        ({**LOGIN, "colour": "blue"}, "colour"),
    ],
)
async def test_what_cannot_be_is_refused_by_field_and_stores_nothing(
    gateway: MemoryGateway, client: httpx.AsyncClient, body: dict[str, str], field: str | None
) -> None:
    before = gateway.log.length
    answer = await client.post(PATH, json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert gateway.log.length == before
    assert [key async for key in gateway.secrets.keys()] == []  # noqa: SIM118 - a bucket is no dictionary
    assert "hunter2" not in answer.text


async def test_the_usual_port_is_left_out_and_capitals_do_not_count(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    await client.post(PATH, json={**LOGIN, "host": "Git.Example.com:443"})
    assert last(gateway).host == "git.example.com"
    await client.post(PATH, json={"kind": "deploy-key", "host": "git.example.com:2222"})
    assert last(gateway).host == "git.example.com:2222"


async def test_who_may_not_configure_sets_and_removes_nothing(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    made = (await client.post("/tokens", json={"name": "reader", "permissions": ["read"], "expires_at": None})).json()
    before = gateway.log.length
    async with gateway.client(made["token"]) as reader:
        assert (await reader.get(PATH)).status_code == 200
        assert (await reader.post(PATH, json=LOGIN)).status_code == 403
        assert (await reader.delete(f"{PATH}/https", params={"host": "git.example.com"})).status_code == 403
    assert gateway.log.length == before


async def test_the_settings_page_sets_shows_and_removes(gateway: MemoryGateway, client: httpx.AsyncClient) -> None:
    del client
    session = gateway.session()
    async with gateway.browser(gateway.signed_in(session)) as browser:
        browser.headers["X-CSRF-Token"] = session.csrf
        form = {"host": "", "kind": "deploy-key", "user": "left over", "password": ""}
        answer = await browser.post("/projects/shop/credentials", data=form)
        assert answer.status_code == 303, answer.text
        page = (await browser.get(answer.headers["location"])).text
        assert last(gateway).public_key in page
        wrong = await browser.post("/projects/shop/credentials", data={**form, "kind": "https", "password": "a\tb"})
        assert wrong.status_code == 422
        assert "control characters" in wrong.text
        place = {"kind": "deploy-key", "host": "git.example.com"}
        assert (await browser.post("/projects/shop/credentials/remove", data=place)).status_code == 303
    assert isinstance(last(gateway), CredentialRemoved)
