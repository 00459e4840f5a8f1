"""What becomes of stored values: shredded with a word on what that costs, swept where nothing names them, rotated."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from support.gateway_story import REPOSITORY
from support.memory_gateway import MemoryGateway
from windlass_contracts.config import Limits
from windlass_contracts.events import RunRequested, VariableSet
from windlass_contracts.ids import DeploymentId
from windlass_contracts.subjects import Aggregate, AggregateKey
from windlass_eventlog.clock import utc_now
from windlass_eventlog.errors import SecretShreddedError
from windlass_eventlog.keys import KeyRing
from windlass_eventlog.memory import MemoryKeyValue
from windlass_eventlog.vault import Vault
from windlass_gateway.application.orphans import SAFE_AGE, OrphanSweeper
from windlass_gateway.application.projections import DEPLOYMENTS
from windlass_gateway.domain.stored import naming_secrets

VARIABLES = "/projects/shop/variables"


@pytest.fixture
def gateway() -> MemoryGateway:
    return MemoryGateway()


@pytest.fixture
async def client(gateway: MemoryGateway) -> AsyncIterator[httpx.AsyncClient]:
    async with gateway.client() as opened:
        yield opened


async def deploy_live(gateway: MemoryGateway, client: httpx.AsyncClient, **variables: str) -> str:
    body = {"git": REPOSITORY, "ref": "main", "project": "shop", "variables": variables}
    accepted = (await client.post("/deployments", json=body)).json()
    await gateway.make_live(UUID(accepted["deployment"]), "shop")
    return str(accepted["deployment"])


async def values_of(gateway: MemoryGateway, deployment: str) -> dict[str, str | None]:
    found = await gateway.rows.get(DEPLOYMENTS, UUID(deployment))
    assert found is not None
    return {one.name: await value_of(gateway.vault, one.secret) for one in found.row.variables}


async def value_of(vault: Vault, secret: UUID) -> str | None:
    try:
        return await vault.reveal(secret)
    except SecretShreddedError:
        return None


async def stored_count(bucket: MemoryKeyValue) -> int:
    return len([key async for key in bucket.keys()])  # noqa: SIM118 - a bucket is no dictionary


def losses(preview: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["id"], one["loss"]) for one in preview["affected"]]


async def test_removing_a_variable_keeps_its_value_for_rollbacks(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    first = await deploy_live(gateway, client, API_KEY="of-that-day")
    await client.delete(f"{VARIABLES}/API_KEY", params={"environment": "production"})
    await deploy_live(gateway, client)
    answer = await client.post("/projects/shop/rollback", json={"to": first})
    assert answer.status_code == 202, answer.text
    assert await values_of(gateway, first) == {"API_KEY": "of-that-day"}


async def test_shredding_says_first_which_deployments_it_costs_what(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    first = await deploy_live(gateway, client, API_KEY="one")
    second = await deploy_live(gateway, client, API_KEY="two")
    waiting = (await client.post("/deployments", json={"git": REPOSITORY, "project": "shop"})).json()["deployment"]
    query = {"environment": "production"}

    preview = (await client.get(f"{VARIABLES}/API_KEY/shredding", params=query)).json()

    assert (preview["values"], preview["removes"]) == (2, True)
    assert losses(preview) == [(second, "live"), (waiting, "under way"), (first, "rollback")]
    assert await stored_count(gateway.secrets) == 2
    replaced = (await client.get(f"{VARIABLES}/API_KEY/shredding", params={**query, "replaced": True})).json()
    assert (replaced["values"], replaced["removes"], losses(replaced)) == (1, False, [(first, "rollback")])


async def test_a_rollback_that_needs_a_shredded_value_is_refused_with_its_name_and_changes_nothing(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    first = await deploy_live(gateway, client, API_KEY="one", OTHER="stays")
    second = await deploy_live(gateway, client)
    body = {"environment": "production"}
    done = (await client.post(f"{VARIABLES}/API_KEY/shredding", json=body)).json()
    assert done["values"] == 1
    assert gateway.types()[-1] == "variable.removed.v1"
    before = gateway.log.length

    for wish in ({"to": first}, {}):
        answer = await client.post("/projects/shop/rollback", json=wish)
        assert answer.status_code == 409, answer.text
        assert "API_KEY" in answer.json()["detail"]
        assert "OTHER" not in answer.json()["detail"]
        assert answer.json()["next"]
    assert gateway.log.length == before
    assert await values_of(gateway, second) == {"OTHER": "stays", "API_KEY": None}
    assert [one["name"] for one in (await client.get(VARIABLES)).json()] == ["OTHER"]


async def test_shredding_what_was_replaced_leaves_what_is_set(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    first = await deploy_live(gateway, client, API_KEY="leaked")
    second = await deploy_live(gateway, client, API_KEY="fresh")
    body = {"environment": "production", "replaced": True}
    assert (await client.post(f"{VARIABLES}/API_KEY/shredding", json=body)).json()["values"] == 1
    assert (await values_of(gateway, first), await values_of(gateway, second)) == (
        {"API_KEY": None},
        {"API_KEY": "fresh"},
    )
    assert (await client.post(f"/deployments/{first}/redeploy", headers={"Idempotency-Key": "k"})).status_code == 202


async def test_shredding_that_was_cut_short_is_done_by_doing_it_again(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    await deploy_live(gateway, client, API_KEY="one")
    await client.delete(f"{VARIABLES}/API_KEY", params={"environment": "production"})  # as far as it came
    for left in (1, 0):
        answer = await client.post(f"{VARIABLES}/API_KEY/shredding", json={"environment": "production"})
        assert (answer.status_code, answer.json()["values"]) == (200, left)
    assert await stored_count(gateway.secrets) == 0


async def test_variables_of_other_places_and_names_are_not_shredded(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    await deploy_live(gateway, client, API_KEY="of production")
    await client.put(f"{VARIABLES}/API_KEY", json={"value": "of all"})
    assert (await client.post(f"{VARIABLES}/API_KEY/shredding", json={})).json()["values"] == 1
    assert await stored_count(gateway.secrets) == 1
    missing = await client.post(f"{VARIABLES}/NEVER_SET/shredding", json={})
    assert (missing.status_code, missing.json()["field"]) == (404, "name")


async def test_a_redeploy_is_refused_with_the_name_of_the_variable_whose_value_is_gone(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    first = await deploy_live(gateway, client, API_KEY="one")
    [key] = [key async for key in gateway.secrets.keys()]  # noqa: SIM118 - a bucket is no dictionary
    await gateway.secrets.delete(key)
    before = gateway.log.length
    answer = await client.post(f"/deployments/{first}/redeploy", headers={"Idempotency-Key": "k"})
    assert answer.status_code == 409
    assert "API_KEY" in answer.json()["detail"]
    assert gateway.log.length == before


async def test_only_who_may_configure_shreds_and_only_who_administers_rotates(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    await deploy_live(gateway, client, API_KEY="one")
    made = await client.post("/tokens", json={"name": "ci", "permissions": ["read", "deploy"]})
    async with gateway.client(made.json()["token"]) as other:
        answers = [
            await other.get(f"{VARIABLES}/API_KEY/shredding"),
            await other.post(f"{VARIABLES}/API_KEY/shredding", json={"environment": "production"}),
            await other.get("/keys"),
            await other.post("/keys/rotation"),
        ]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert await stored_count(gateway.secrets) == 1


@dataclass
class FakeClock:
    now: datetime = field(default_factory=utc_now)

    def __call__(self) -> datetime:
        return self.now


def sweeper(gateway: MemoryGateway, quarantine: MemoryKeyValue | None = None) -> OrphanSweeper:
    return OrphanSweeper(gateway.gateway, quarantine or MemoryKeyValue())


def gateway_at(clock: FakeClock) -> MemoryGateway:
    return MemoryGateway(secrets=MemoryKeyValue(clock), notes=MemoryKeyValue(clock), now=clock)


async def test_values_and_texts_that_no_event_names_are_swept_after_a_day_and_no_others() -> None:
    clock = FakeClock()
    gateway = gateway_at(clock)
    async with gateway.client() as client:
        first = await deploy_live(gateway, client, API_KEY="one")
        await deploy_live(gateway, client, API_KEY="two")
        await client.delete(f"{VARIABLES}/API_KEY", params={"environment": "production"})
        await client.post("/projects/shop/rollback", json={"to": first})
    orphan, text, mentioned = await gateway.vault.store("never named"), uuid4(), uuid4()
    await gateway.notes.create(str(text), b"never named")
    await gateway.notes.create(str(mentioned), b"why an event was passed over")
    quarantine = MemoryKeyValue()
    await quarantine.create("builder.7", json.dumps({"by": "token:x", "note": str(mentioned)}).encode())
    sweeping = sweeper(gateway, quarantine)

    await gateway.secrets.create("no-id", b"put here by somebody else")

    clock.now += SAFE_AGE - timedelta(minutes=1)
    young = await sweeping.sweep()
    assert (young.secrets, young.notes) == ((), ())

    clock.now += timedelta(minutes=2)
    late = await gateway.vault.store("about to be named")
    swept = await sweeping.sweep()
    assert (swept.secrets, swept.notes) == ((orphan,), (text,))
    assert await value_of(gateway.vault, orphan) is None
    assert await value_of(gateway.vault, late) == "about to be named"
    assert await stored_count(gateway.secrets) == 4
    assert await gateway.notes.get(str(mentioned)) is not None
    assert (await sweeping.sweep()).secrets == ()


async def test_the_line_of_a_one_off_command_is_kept_as_long_as_an_event_names_it() -> None:
    clock = FakeClock()
    gateway = gateway_at(clock)
    async with gateway.client() as client:
        deployment = await deploy_live(gateway, client)
    command = await gateway.vault.store("psql --password=hunter2")
    project = (await row_of(gateway, deployment)).project
    key = AggregateKey(gateway.team, project, Aggregate.RUN, uuid4())
    wish = RunRequested(deployment=DeploymentId(UUID(deployment)), command=command, limits=Limits())
    await gateway.append(key, wish)

    clock.now += SAFE_AGE * 2

    assert (await sweeper(gateway).sweep()).secrets == ()
    assert await value_of(gateway.vault, command) == "psql --password=hunter2"


def test_each_type_of_event_that_names_a_value_is_known() -> None:
    assert naming_secrets() == {VariableSet, RunRequested}


async def test_nothing_is_swept_while_events_are_passed_over_that_could_name_it() -> None:
    clock = FakeClock()
    gateway, quarantine = gateway_at(clock), MemoryKeyValue()
    orphan = await gateway.vault.store("named by an event in quarantine, maybe")
    await quarantine.create("gateway.3", b"{}")
    clock.now += SAFE_AGE * 2
    assert (await sweeper(gateway, quarantine).sweep()).secrets == ()
    assert await value_of(gateway.vault, orphan) is not None


async def test_a_rotation_tells_how_far_it_is_and_names_what_no_key_opens(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    first = await deploy_live(gateway, client, GOOD="one", BAD="two")
    [bad] = [one.secret for one in (await row_of(gateway, first)).variables if one.name == "BAD"]
    entry = await gateway.secrets.entry(str(bad))
    assert entry is not None
    await gateway.secrets.update(str(bad), KeyRing.generated().encrypt(b"lost"), entry.revision)

    answer = await client.post("/keys/rotation")

    states = [json.loads(line) for line in answer.text.splitlines()]
    assert (states[0]["left"], states[0]["done"]) == (2, False)
    last = states[-1]
    assert (last["encrypted"], last["left"], last["done"], last["retired"]) == (1, 0, True, 0)
    assert last["unreadable"] == [{"secret": str(bad), "variable": "shop: BAD (production)"}]
    assert await value_of(gateway.vault, (await row_of(gateway, first)).variables[1].secret) == "one"
    listed = (await client.get("/keys")).json()
    assert [one["values"] for one in listed["keys"]] == [1, 0]

    body = {"environment": "production"}
    assert (await client.post(f"{VARIABLES}/BAD/shredding", json=body)).json()["values"] == 1
    again = json.loads((await client.post("/keys/rotation")).text.splitlines()[-1])
    assert (again["resumed"], again["retired"]) == (True, 1)
    assert len((await client.get("/keys")).json()["keys"]) == 1


async def row_of(gateway: MemoryGateway, deployment: str) -> Any:  # noqa: ANN401 - the row of a deployment
    found = await gateway.rows.get(DEPLOYMENTS, UUID(deployment))
    assert found is not None
    return found.row


async def test_a_second_rotation_at_the_same_time_is_refused(gateway: MemoryGateway, client: httpx.AsyncClient) -> None:
    with gateway.vault.keys.exclusively():
        answer = await client.post("/keys/rotation")
    assert (answer.status_code, answer.json()["title"]) == (409, "Keys are being rotated")


async def test_the_page_says_what_shredding_costs_before_it_offers_it(
    gateway: MemoryGateway, client: httpx.AsyncClient
) -> None:
    first = await deploy_live(gateway, client, API_KEY="one")
    second = await deploy_live(gateway, client, API_KEY="two")
    place = {"name": "API_KEY", "environment": "production"}
    async with gateway.browser() as browser:
        listed = await browser.get("/projects/shop/variables")
        asked = await browser.get("/projects/shop/variables/shred", params=place)
        assert "/projects/shop/variables/shred?" in listed.text
        assert all(deployment[:8] in asked.text for deployment in (first, second))
        assert await stored_count(gateway.secrets) == 2
        csrf = re.search(r'name="csrf" value="([^"]+)"', asked.text)
        assert csrf is not None
        done = await browser.post("/projects/shop/variables/shred", data={**place, "csrf": csrf[1]})
    assert (done.status_code, "said=values-shredded" in done.headers["location"]) == (303, True)
    assert await stored_count(gateway.secrets) == 0
