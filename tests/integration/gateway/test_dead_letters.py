"""Dead letters over the API, the command and the page: listed, tried again, discarded with a reason."""

from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from starlette.datastructures import QueryParams

from support.command import command_for
from support.memory_gateway import INSTALLATION, MemoryGateway
from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import (
    DeploymentCanceled,
    ReactionAbandoned,
    ReactionDiscarded,
    ReactionRecovered,
    ReactionRetried,
)
from windlass_contracts.ids import DeploymentId, ProjectId, ReactionId, TeamId, reaction_id
from windlass_contracts.subjects import ALL_EVENTS, AggregateKey
from windlass_eventlog.memory import MemoryLog
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.dead_letters import DeadLetters
from windlass_gateway.entrypoints.live.views import find_view

DEPLOYMENT = DeploymentId(UUID(int=77))
REASON = "It was a test of <b>2.0</b>."


async def abandoned(gateway: MemoryGateway, reactor: str = "deploy", team: TeamId | None = None) -> ReactionId:
    """Tell of something that happened to a deployment, and that the builder gave up a reaction to it."""
    where = team or gateway.team
    about = AggregateKey.of_deployment(where, ProjectId(UUID(int=78)), DEPLOYMENT)
    sequence = await gateway.append(about, DeploymentCanceled())
    event = gateway.log.at(sequence)
    identity = reaction_id("builder", reactor, event.metadata.id)
    told = ReactionAbandoned(
        reactor=reactor,
        sequence=sequence,
        event=event.metadata.id,
        type=event.event.TYPE,
        attempts=30,
        error="windlass_builder.errors.EngineError",
        place="windlass_builder.adapters.docker.runtime:42",
    )
    await gateway.append(AggregateKey.of_reaction(where, identity), told)
    return identity


def key_of(gateway: MemoryGateway, identity: ReactionId) -> AggregateKey:
    return AggregateKey.of_reaction(gateway.team, identity)


async def test_a_dead_letter_says_what_failed_on_which_event_of_which_deployment() -> None:
    gateway = MemoryGateway()
    identity = await abandoned(gateway)
    async with gateway.client() as client:
        (listed,) = (await client.get("/dead-letters")).json()
        shown = (await client.get(f"/dead-letters/{identity.hex[:8]}")).json()
    assert listed == shown
    assert (shown["id"], shown["status"], shown["service"], shown["reactor"]) == (
        str(identity),
        "open",
        "builder",
        "deploy",
    )
    assert (shown["deployment"], shown["sequence"], shown["attempts"], shown["rounds"]) == (str(DEPLOYMENT), 1, 30, 1)


class PassingOver(MemoryLog):
    """A log whose first event is in quarantine."""

    def read(self, after: int, pattern: str = ALL_EVENTS) -> AsyncGenerator[Recorded[Event], None]:
        return super().read(max(after, 1), pattern)


async def test_a_dead_letter_about_an_event_in_quarantine_is_not_told_of_the_one_behind() -> None:
    gateway = MemoryGateway(PassingOver(INSTALLATION))
    identity = await abandoned(gateway)
    async with gateway.client() as client:
        shown = (await client.get(f"/dead-letters/{identity}")).json()
    assert (shown["about"], shown["deployment"]) == ("deployment", str(DEPLOYMENT))


async def test_a_retry_is_asked_for_once_and_its_outcome_shows() -> None:
    gateway = MemoryGateway()
    identity = await abandoned(gateway)
    async with gateway.client() as client:
        asked = await client.post(f"/dead-letters/{identity}/retry")
        again = await client.post(f"/dead-letters/{identity}/retry")
        await gateway.append(key_of(gateway, identity), ReactionRecovered())
        recovered = (await client.get(f"/dead-letters/{identity}")).json()
        over = await client.post(f"/dead-letters/{identity}/discard", json={"reason": REASON})
    assert (asked.status_code, again.status_code, over.status_code) == (200, 409, 409)
    assert "is being tried again" in again.json()["detail"]
    assert recovered["status"] == "recovered"
    event = gateway.log.at(asked.json()["sequence"])
    assert isinstance(event.event, ReactionRetried)
    assert event.metadata.actor == "token:installation"


async def test_the_reason_of_a_discard_lies_beside_the_log() -> None:
    gateway = MemoryGateway()
    identity = await abandoned(gateway)
    async with gateway.client() as client:
        await client.post(f"/dead-letters/{identity}/discard", json={"reason": REASON})
        shown = (await client.get(f"/dead-letters/{identity}")).json()
    assert (shown["status"], shown["reason"]) == ("discarded", REASON)
    event = gateway.log.at(gateway.log.length).event
    assert isinstance(event, ReactionDiscarded)
    assert await gateway.notes.get(str(event.note)) == REASON.encode()


async def test_those_that_wait_for_somebody_come_first() -> None:
    gateway = MemoryGateway()
    waiting, done = await abandoned(gateway, "deploy"), await abandoned(gateway, "stop")
    async with gateway.client() as client:
        await client.post(f"/dead-letters/{done}/discard", json={"reason": REASON})
        listed = (await client.get("/dead-letters")).json()
    assert [one["id"] for one in listed] == [str(waiting), str(done)]


@pytest.mark.parametrize("reason", ["", "   ", "x" * 1_001])
async def test_a_discard_without_a_usable_reason_changes_nothing(reason: str) -> None:
    gateway = MemoryGateway()
    identity = await abandoned(gateway)
    end = gateway.log.length
    async with gateway.client() as client:
        answer = await client.post(f"/dead-letters/{identity}/discard", json={"reason": reason})
    assert answer.status_code == 422
    assert gateway.log.length == end


@pytest.mark.parametrize(("written", "status"), [("zz", 422), ("abc", 422), ("0" * 8, 404), ("%00%00%00%00", 422)])
async def test_what_names_no_dead_letter_is_refused(written: str, status: int) -> None:
    gateway = MemoryGateway()
    await abandoned(gateway)
    async with gateway.client() as client:
        assert (await client.post(f"/dead-letters/{written}/retry")).status_code == status


async def test_another_teams_dead_letters_are_not_there() -> None:
    gateway = MemoryGateway()
    identity = await abandoned(gateway, team=TeamId(UUID(int=5)))
    async with gateway.client() as client:
        assert (await client.get("/dead-letters")).json() == []
        assert (await client.post(f"/dead-letters/{identity}/retry")).status_code == 404


async def test_only_who_administers_may_see_or_decide() -> None:
    gateway = MemoryGateway()
    identity = await abandoned(gateway)
    async with gateway.client() as client:
        body = {"name": "ci", "permissions": ["read", "deploy", "configure"]}
        token = (await client.post("/tokens", json=body)).json()["token"]
    async with gateway.client(token) as client:
        answers = [
            await client.get("/dead-letters"),
            await client.get(f"/dead-letters/{identity}"),
            await client.post(f"/dead-letters/{identity}/retry"),
            await client.post(f"/dead-letters/{identity}/discard", json={"reason": REASON}),
        ]
    assert [answer.status_code for answer in answers] == [403] * 4


async def test_the_command_lists_shows_retries_and_discards(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with command_for(gateway, tmp_path) as command:
        nothing = await command("dead-letters")
        identity = await abandoned(gateway)
        listed, shown = await command("dead-letters"), await command("dead-letters", "show", identity.hex[:6])
        retried = await command("dead-letters", "retry", identity.hex[:6])
        empty = await command("dead-letters", "discard", identity.hex[:6], "--reason", " ")
        discarded = await command("dead-letters", "discard", identity.hex[:6], "--reason", REASON)
        over = await command("dead-letters", "retry", identity.hex[:6])
        document = (await command("dead-letters", "list", "--json")).document
    assert "No dead letters" in nothing.out
    for word in (identity.hex[:8], "open", "builder", "deploy", "EngineError"):
        assert word in listed.out
    assert "of deployment 00000000" in shown.out
    assert [one.code for one in (retried, empty, discarded, over)] == [0, 1, 0, 1], (retried.err, discarded.err)
    assert "was discarded" in over.err
    assert [one["status"] for one in document] == ["discarded"]


async def posting(gateway: MemoryGateway, path: str, data: dict[str, str]) -> httpx.Response:
    session = gateway.session()
    async with gateway.browser(gateway.signed_in(session)) as browser:
        return await browser.post(path, data=data, headers={"X-CSRF-Token": session.csrf})


async def test_the_page_lists_them_and_every_other_page_says_that_there_are_some() -> None:
    gateway = MemoryGateway()
    async with gateway.browser() as browser:
        before = (await browser.get("/events")).text
        empty = (await browser.get("/dead-letters")).text
        identity = await abandoned(gateway)
        after = (await browser.get("/events")).text
        listed = (await browser.get("/dead-letters")).text
        page = (await browser.get(f"/dead-letters/{identity}")).text
    assert "/dead-letters" not in before
    assert "No dead letters" in empty
    assert 'href="/dead-letters"' in after
    for text in (listed, page):
        assert f'href="/deployments/{DEPLOYMENT}"' in text
        assert 'href="/events?before=2#e1"' in text
        assert "windlass_builder.adapters.docker.runtime:42" in text
    assert "/live/dead-letters?after=" in listed


async def test_the_page_retries_and_discards_and_explains_what_it_cannot_do() -> None:
    gateway = MemoryGateway()
    identity = await abandoned(gateway)
    path = f"/dead-letters/{identity}"
    retried = await posting(gateway, f"{path}/retry", {})
    again = await posting(gateway, f"{path}/retry", {})
    empty = await posting(gateway, f"{path}/discard", {"reason": ""})
    discarded = await posting(gateway, f"{path}/discard", {"reason": REASON})
    async with gateway.browser() as browser:
        shown = (await browser.get(path)).text
        forged = await browser.post(f"{path}/retry")
    assert [one.status_code for one in (retried, again, empty, discarded, forged)] == [303, 409, 422, 303, 403]
    assert "is being tried again" in again.text
    assert "The reason is empty" in empty.text
    assert "It was a test of &lt;b&gt;2.0&lt;/b&gt;." in shown
    assert f"{path}/retry" not in shown


async def test_the_live_view_is_touched_by_dead_letters_alone_and_is_the_administrators() -> None:
    gateway = MemoryGateway()
    await abandoned(gateway)
    caller = gateway.members.caller(gateway.owner, gateway.team)
    assert caller is not None
    shared = gateway.app.state.context
    view = await find_view(shared, caller, "dead-letters", QueryParams())
    assert [view.touched_by(gateway.log.at(sequence)) for sequence in (1, 2)] == [False, True]
    assert 'id="dead-letters"' in await view.render()  # type: ignore[attr-defined]
    reader = Caller("token:x", gateway.team, frozenset({Permission.READ}))
    with pytest.raises(Exception, match="permission to administer"):
        await find_view(shared, reader, "dead-letters", QueryParams())
    assert len(await DeadLetters(gateway.gateway).list(caller)) == 1
