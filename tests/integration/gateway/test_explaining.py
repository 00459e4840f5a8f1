"""At any moment somebody may ask what a deployment waits for: from whom, until when, and what stands in its way."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from support.gateway_story import REPOSITORY, way_to_live
from support.memory_gateway import MemoryGateway
from windlass_contracts.cloudevent import Metadata, Proposed
from windlass_contracts.events import ContainerPaused, ReactionAbandoned, ReactionRetried
from windlass_contracts.ids import EventId, ReactionId
from windlass_contracts.subjects import AggregateKey, Service
from windlass_eventlog.clock import utc_now
from windlass_eventlog.log import Expected
from windlass_gateway.application.projections import DEPLOYMENTS
from windlass_gateway.domain.remarks import QUIET

REACTION = ReactionId(UUID(int=99))


async def request(gateway: MemoryGateway) -> UUID:
    async with gateway.client() as client:
        answer = await client.post("/deployments", json={"git": REPOSITORY, "ref": "main"})
    return UUID(answer.json()["deployment"])


async def explained(gateway: MemoryGateway, identity: UUID) -> Mapping[str, Any]:
    async with gateway.client() as client:
        answer = await client.get(f"/deployments/{identity}/explain")
    assert answer.status_code == 200
    found: Mapping[str, Any] = answer.json()
    return found


async def give_up(gateway: MemoryGateway, correlation: EventId, sequence: int = 3) -> AggregateKey:
    """Tell that the builder gave up a reaction to something that a request began."""
    key = AggregateKey.of_reaction(gateway.team, REACTION)
    event = ReactionAbandoned(
        reactor="deploy",
        sequence=sequence,
        event=gateway.log.at(sequence).metadata.id,
        type=gateway.log.at(sequence).event.TYPE,
        attempts=30,
        error="KeyError",
    )
    metadata = Metadata(EventId(UUID(int=98)), utc_now(), "service:builder", correlation)
    await gateway.log.append(Proposed(Service.BUILDER, key, event, metadata), Expected.new(key))
    return key


async def correlation_of(gateway: MemoryGateway, identity: UUID) -> EventId:
    found = await gateway.rows.get(DEPLOYMENTS, identity)
    assert found is not None
    return found.row.correlation


@pytest.mark.parametrize(
    ("told", "owner"),
    [(0, "builder"), (1, "builder"), (2, "builder"), (3, "monitor"), (4, "router"), (5, "router")],
)
async def test_every_phase_says_what_is_awaited_from_whom_and_until_when(told: int, owner: str) -> None:
    gateway = MemoryGateway()
    identity = await request(gateway)
    await gateway.tell(identity, way_to_live()[1 : told + 1])
    found = await explained(gateway, identity)
    assert (found["owner"], found["dead_letters"]) == (owner, [])
    assert found["awaits"]
    assert found["since"] < found["until"] < found["given_up_at"]


async def test_a_reaction_that_was_given_up_waits_for_an_operator_and_says_so_everywhere() -> None:
    gateway = MemoryGateway()
    identity, other = await request(gateway), await request(gateway)
    key = await give_up(gateway, await correlation_of(gateway, identity))
    found, untouched = await explained(gateway, identity), await explained(gateway, other)
    async with gateway.browser() as browser:
        page = (await browser.get(f"/deployments/{identity}")).text
    assert found["dead_letters"] == [str(REACTION)]
    assert found["next"] == f"`windlass dead-letters show {REACTION.hex[:8]}`."
    assert "waits for an operator" in " ".join(found["remarks"])
    assert (untouched["dead_letters"], untouched["remarks"]) == ([], [])
    assert f'href="/dead-letters/{REACTION}"' in page

    await gateway.append(key, ReactionRetried())
    retried = await explained(gateway, identity)
    assert retried["dead_letters"] == []
    assert "is being tried again" in " ".join(retried["remarks"])


async def test_a_rollback_that_is_under_way_is_awaited_on_the_version_that_comes_back() -> None:
    gateway = MemoryGateway()
    first, second = await request(gateway), await request(gateway)
    await gateway.make_live(first, "shop")
    await gateway.make_live(second, "shop")
    async with gateway.client() as client:
        accepted = (await client.post("/projects/shop/rollback", json={})).json()
    found, live = await explained(gateway, first), await explained(gateway, second)
    assert accepted["to"] == str(first)
    assert (found["owner"], found["awaits"]) == ("router", "the earlier version to answer")
    assert found["until"] is not None
    assert live["awaits"] is None
    await give_up(gateway, EventId(UUID(accepted["request"])), gateway.log.length)
    assert (await explained(gateway, first))["dead_letters"] == [str(REACTION)]
    async with gateway.browser() as browser:
        assert "On its way back" in (await browser.get(f"/deployments/{first}")).text


async def test_an_owner_that_shows_no_sign_of_life_is_named() -> None:
    moments = [utc_now()]
    gateway = MemoryGateway(now=lambda: moments[0])
    identity = await request(gateway)
    assert (await explained(gateway, identity))["remarks"] == []
    moments[0] += QUIET + timedelta(minutes=1)
    (remark,) = (await explained(gateway, identity))["remarks"]
    assert "The builder has appended nothing yet" in remark


async def test_a_version_that_was_replaced_says_by_what_and_how_long_it_is_kept() -> None:
    gateway = MemoryGateway()
    identity, later = await request(gateway), await request(gateway)
    for one in (identity, later):
        await gateway.make_live(one, "shop")
    (container, *_) = [event.container for event in way_to_live() if hasattr(event, "container")]
    await gateway.tell(identity, [ContainerPaused(container=container, node="one")])
    found = await explained(gateway, identity)
    assert later.hex[:8] in found["sentence"]
    assert f"windlass rollback shop --to {identity.hex[:8]}" in found["next"]
    (remark,) = found["remarks"]
    assert "kept for 900 s" in remark
    async with gateway.browser() as browser:
        page = (await browser.get(f"/deployments/{identity}")).text
    assert f'href="/deployments/{later}">deployment {later.hex[:7]}</a> answers in production now' in page
