"""Domains by the API, the settings page and the command: assigned, moved, removed, refused with the reason."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from support.command import command_for
from support.memory_gateway import MemoryGateway
from windlass_contracts.events import DomainAssigned, DomainRemoved
from windlass_contracts.ids import TeamId

PATH = "/projects/shop/domains"
HOST = "www.example.com"
_TURNS = 500
"""More turns of the loop than a request takes that nobody keeps waiting."""


async def project(client: httpx.AsyncClient, slug: str = "shop") -> None:
    body = {"git": "https://git.example.com/harbour/shop.git", "project": slug}
    assert (await client.post("/deployments", json=body)).status_code == 202


@pytest.fixture
def gateway() -> MemoryGateway:
    return MemoryGateway()


@pytest.fixture
async def client(gateway: MemoryGateway) -> AsyncIterator[httpx.AsyncClient]:
    async with gateway.client() as opened:
        await project(opened)
        assert (await opened.put("/projects/shop/environments/preview", json={"branches": []})).status_code == 200
        yield opened


def last(gateway: MemoryGateway) -> Any:  # noqa: ANN401 - whichever event it is
    return gateway.log.at(gateway.log.length).event


async def test_a_domain_is_assigned_moved_and_removed(gateway: MemoryGateway, client: httpx.AsyncClient) -> None:
    done = (await client.put(f"{PATH}/WWW.Example.com.", json={})).json()
    assert (done["host"], done["environment"]) == (HOST, "production")
    assert "CNAME" in done["next"]
    assert "shop.localhost" in done["next"]
    production = last(gateway).environment
    end = gateway.log.length
    again = await client.put(f"{PATH}/{HOST}", json={"environment": "production"})
    assert (again.status_code, gateway.log.length) == (200, end)
    assert (await client.put(f"{PATH}/{HOST}", json={"environment": "preview"})).status_code == 200
    assert isinstance(last(gateway), DomainAssigned)
    assert last(gateway).environment != production
    (listed,) = (await client.get(PATH)).json()
    assert (listed["host"], listed["environment"], listed["answers"]) == (HOST, "preview", False)
    assert (await client.delete(f"{PATH}/{HOST}")).status_code == 200
    assert last(gateway) == DomainRemoved(host=HOST)
    gone = await client.delete(f"{PATH}/{HOST}")
    assert (gone.status_code, gone.json()["field"]) == (404, "host")
    assert (await client.get(PATH)).json() == []


@pytest.mark.parametrize(
    "written",
    [
        "a%60b.com",
        "%2A.example.com",
        "https:%2F%2Fa.b%2Fc",
        "10.0.0.1",
        "windlass.localhost",
        "x" * 64 + ".b",
        "a%0Ab.com",
        "a.com%0D%0AX:%20y",
        "%0A",
        "a%00b.com",
    ],
)
async def test_what_is_no_domain_is_refused_by_its_field_and_nothing_is_appended(
    gateway: MemoryGateway, client: httpx.AsyncClient, written: str
) -> None:
    end = gateway.log.length
    answer = await client.put(f"{PATH}/{written}", json={})
    assert (answer.status_code, answer.json()["field"]) == (422, "host")
    assert (await client.delete(f"{PATH}/{written}")).json()["field"] == "host"
    assert gateway.log.length == end


async def test_only_environments_that_exist_can_have_a_domain(client: httpx.AsyncClient) -> None:
    answer = await client.put(f"{PATH}/{HOST}", json={"environment": "nowhere"})
    assert (answer.status_code, answer.json()["field"]) == (404, "environment")


async def test_of_two_teams_that_ask_at_once_one_gets_the_host_and_the_other_is_not_told_whose_it_is(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    """The second decides from rows in which the host is free, and again once it was not the first."""
    other = MemoryGateway(gateway.log, gateway.logs, gateway.secrets, team=TeamId(UUID(int=9)))
    async with other.client() as theirs:
        await project(theirs, "other")
        other.rows.stay_at(gateway.log.length)
        assert (await client.put(f"{PATH}/{HOST}", json={})).status_code == 200
        asked = asyncio.create_task(theirs.put(f"/projects/other/domains/{HOST}", json={}))
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        assert not asked.done()
        other.rows.stay_at(None)
        refused = await asked
        assert (refused.status_code, refused.json()["field"]) == (409, "host")
        assert "shop" not in refused.text
        assert gateway.types().count("domain.assigned.v1") == 1
        assert (await theirs.delete(f"/projects/other/domains/{HOST}")).status_code == 404
        assert (await client.delete(f"{PATH}/{HOST}")).status_code == 200
        assert (await theirs.put(f"/projects/other/domains/{HOST}", json={})).status_code == 200


async def test_whoever_may_not_configure_reads_and_changes_nothing_and_the_refusal_is_noted(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    wanted = {"name": "reader", "permissions": ["read", "deploy"], "expires_at": None}
    made = (await client.post("/tokens", json=wanted)).json()
    end = gateway.log.length
    async with gateway.client(made["token"]) as reader:
        assert (await reader.get(PATH)).status_code == 200
        assert (await reader.put(f"{PATH}/{HOST}", json={})).status_code == 403
        assert (await reader.delete(f"{PATH}/{HOST}")).status_code == 403
    assert gateway.log.length == end
    assert gateway.auditing.waiting == 2


async def test_the_settings_page_adds_shows_moves_and_removes(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    del client
    session = gateway.session()
    async with gateway.browser(gateway.signed_in(session)) as browser:
        browser.headers["X-CSRF-Token"] = session.csrf
        answer = await browser.post("/projects/shop/domains", data={"host": HOST, "environment": "production"})
        assert answer.status_code == 303, answer.text
        page = (await browser.get(answer.headers["location"])).text
        assert f"http://{HOST}:8080" in page
        assert "not routed yet" in page
        wrong = await browser.post("/projects/shop/domains", data={"host": "*.a.b", "environment": "preview"})
        assert wrong.status_code == 422
        assert 'id="domain-host-error"' in wrong.text
        assert 'id="host-error"' not in wrong.text
        moved = await browser.post("/projects/shop/domains", data={"host": HOST, "environment": "preview"})
        assert moved.status_code == 303
        assert (await browser.post("/projects/shop/domains/remove", data={"host": HOST})).status_code == 303
        assert (await browser.post("/projects/shop/domains/remove", data={"host": HOST})).status_code == 404
    assert isinstance(last(gateway), DomainRemoved)


async def test_the_command_adds_lists_and_removes(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client, command_for(gateway, tmp_path) as command:
        await project(client)
        added = await command("domains", "shop", "add", "Bücher.example")
        listed = await command("domains", "shop")
        removed = await command("domains", "shop", "remove", "Bücher.example")
    assert added.code == 0, added.err
    assert "xn--bcher-kva.example answers with production of shop." in added.out
    assert "shop.localhost" in listed.out
    assert removed.code == 0, removed.err
    assert isinstance(last(gateway), DomainRemoved)
