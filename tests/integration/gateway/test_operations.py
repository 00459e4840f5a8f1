"""Operators over the API and the command: rebuild, verify, quarantine, and a gateway that stands still."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from support.command import command_for
from support.memory_gateway import INSTALLATION, MemoryGateway
from support.operated_services import WRONG, answering, halted_at, operations
from support.operations_contract import Held
from support.rows_contract import UnreadableAtThree
from windlass.errors import BadInputError
from windlass.main import windlass
from windlass_contracts.subjects import Service
from windlass_eventlog.clock import utc_now
from windlass_eventlog.operations import Asking, Collectable, Collected, Failed, Kind, OfProjects, Operation, Report

DEPLOY = {"git": "https://git.example/owner/shop", "ref": "main"}
REBUILD = {"service": "router", "kind": "rebuild"}
REASON = "A test of 2.0; nothing is lost."
ENTRY = {"service": "router", "sequence": 7, "reason": REASON}
EVERY: dict[Service, Mapping[Kind, Operation]] = dict.fromkeys(Service, operations())


async def test_an_operation_is_followed_to_its_end() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client, answering(gateway, EVERY):
        asked = await client.post("/operations", json=REBUILD)
        answer = await client.get(f"/operations/router/{asked.json()['id']}")
    assert (asked.status_code, asked.json()["by"]) == (202, "token:installation")
    last = json.loads(answer.text.splitlines()[-1])["state"]
    assert (last["state"], last["result"]["sequence"]) == ("done", 1_000)


async def test_a_second_operation_is_refused_with_who_is_at_the_first() -> None:
    gateway, held = MemoryGateway(), Held()
    async with gateway.client() as client, answering(gateway, {Service.ROUTER: {Kind.REBUILD: held}}):
        await client.post("/operations", json=REBUILD)
        await held.begun.wait()
        refused = await client.post("/operations", json={**REBUILD, "kind": "verify"})
        other = await client.post("/operations", json={**REBUILD, "service": "logs"})
    assert (refused.status_code, other.status_code) == (409, 202)
    assert "rebuild, for token:installation" in refused.json()["detail"]


async def test_only_who_administers_may_operate() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        body = {"name": "ci", "permissions": ["read", "deploy", "configure"]}
        token = (await client.post("/tokens", json=body)).json()["token"]
    async with gateway.client(token) as client, answering(gateway, EVERY):
        answers = [
            await client.post("/operations", json=REBUILD),
            await client.get(f"/operations/router/{UUID(int=1)}"),
            await client.post("/quarantine", json=ENTRY),
            await client.get("/quarantine"),
        ]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert [key async for key in gateway.operations.keys()] == []  # noqa: SIM118 - a bucket is no dictionary


async def test_what_cannot_be_asked_for_is_refused() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        for body in ({**REBUILD, "service": "nats"}, {**REBUILD, "kind": "drop"}, {"service": "router"}, {}):
            assert (await client.post("/operations", json=body)).status_code == 422
        for change in ({"sequence": 0}, {"sequence": -1}, {"sequence": 2**60}, {"reason": " "}, {"reason": "x" * 2001}):
            assert (await client.post("/quarantine", json={**ENTRY, **change})).status_code == 422
        assert (await client.get("/operations/nats/x")).status_code == 422


async def test_a_service_may_pass_over_what_it_stands_still_at_and_nothing_else() -> None:
    gateway = MemoryGateway()
    services = {**EVERY, Service.ROUTER: operations(halted_at(7))}
    async with gateway.client() as client, answering(gateway, services):
        elsewhere = await client.post("/quarantine", json={**ENTRY, "sequence": 6})
        well = await client.post("/quarantine", json={**ENTRY, "service": "logs"})
        made = await client.post("/quarantine", json=ENTRY)
        again = await client.post("/quarantine", json={**ENTRY, "reason": "another"})
        listed = await client.get("/quarantine")
    assert (elsewhere.status_code, well.status_code, made.status_code) == (409, 409, 201)
    assert elsewhere.json()["next"] == "windlass quarantine router 7 --reason TEXT"
    assert "does not stand still at any" in well.json()["detail"]
    assert [made.json()] == listed.json()
    assert again.json() == made.json()
    assert (made.json()["by"], made.json()["reason"]) == ("token:installation", ENTRY["reason"])
    entry = json.loads(await gateway.quarantine.get("router.7") or b"")
    assert set(entry) == {"by", "at", "note"}  # what a person wrote stays in NOTES, where it can be deleted
    assert await gateway.notes.get(entry["note"]) == REASON.encode()


async def test_a_dead_service_passes_over_nothing() -> None:
    gateway = MemoryGateway(silence=timedelta(seconds=0.1))
    async with gateway.client() as client:
        answer = await client.post("/quarantine", json=ENTRY)
    assert answer.status_code == 409
    assert "router gave no sign of life" in answer.json()["detail"]
    assert [key async for key in gateway.quarantine.keys()] == []  # noqa: SIM118 - a bucket is no dictionary


async def test_a_gateway_that_stands_still_says_so_wherever_rows_are_needed() -> None:
    gateway = MemoryGateway(log=UnreadableAtThree(INSTALLATION))
    async with gateway.client() as client, gateway.browser() as browser:
        await client.post("/deployments", json=DEPLOY)  # the third event is its request
        end = gateway.log.length
        refused = [
            await client.post("/deployments", json=DEPLOY),
            await client.get("/projects"),
            await client.get("/status"),
            await browser.get("/"),
        ]
        alive, ready = await browser.get("/healthz"), await browser.get("/readyz")
        elsewhere = await browser.get("/no-such-page")
        listed = await client.get("/quarantine")
    for answer in refused:
        assert answer.status_code == 503
        for said in ("sequence 3 of EVENTS", "deployment.teleported.v1", "windlass quarantine"):
            assert said in answer.text.replace("&#39;", "'")
    assert gateway.log.length == end
    assert alive.status_code == 200
    assert (ready.status_code, ready.json()["ready"]) == (503, False)
    assert "sequence 3 of EVENTS" in ready.json()["why"]
    assert "stands still at sequence 3" in elsewhere.text
    assert listed.status_code == 200


async def test_the_command_rebuilds_one_service_after_the_other(tmp_path: Path) -> None:
    gateway = MemoryGateway(silence=timedelta(seconds=1))
    async with command_for(gateway, tmp_path) as command, answering(gateway, {Service.ROUTER: operations()}):
        outcome = await command("rebuild", "router", "logs")
    assert outcome.code == 1, outcome.err
    assert "router: rebuilt from 1,000 events in 0.5 s; the new rows are in place." in outcome.out
    assert "logs: not rebuilt. The logs gave no sign of life" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Nobody said which rows"),
        (("router", "--all"), "Either some services, or all"),
        (("router", "x\x1b[2J"), "no service 'x'"),
    ],
)
def test_the_command_says_what_it_does_not_understand(arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        windlass.main(["rebuild", *arguments], standalone_mode=False)


async def test_the_command_verifies_and_its_exit_code_says_how_it_is(tmp_path: Path) -> None:
    gateway = MemoryGateway(silence=timedelta(seconds=1))
    async with command_for(gateway, tmp_path) as command:
        async with answering(gateway, EVERY):
            clean = await command("verify", "--json")
        services = {Service.ROUTER: operations(), Service.BUILDER: operations(findings=[WRONG])}
        async with answering(gateway, services):
            wrong = await command("verify", "router", "builder")
            unknown = await command("verify", "router", "logs")
    assert (clean.code, wrong.code, unknown.code) == (0, 1, 2), unknown.err
    assert clean.document["clean"]
    assert [one["service"] for one in clean.document["services"]] == list(Service)
    for said in ("1 WRONG", "what should run runs", "run-1 (builder, not-running)", WRONG.what, WRONG.remedy):
        assert said in wrong.out
    assert "logs: could not be verified. The logs gave no sign of life" in unknown.out


async def test_the_command_collects_or_only_says_what_would_go(tmp_path: Path) -> None:
    async def collected(report: Report) -> Collected:
        report("looks", 0, 1)
        item = Collectable(project=UUID(int=7), kind="release", name="shop:1", why="retention", size=3 * 2**20)
        return Collected(items=(item,), left_out=2)

    async def nothing(report: Report) -> Collected:
        report("looks", 0, 1)
        return Collected(items=())

    gateway = MemoryGateway(silence=timedelta(seconds=1))
    async with command_for(gateway, tmp_path) as command:
        async with answering(gateway, {Service.BUILDER: {Kind.COLLECTABLE: collected, Kind.COLLECT: nothing}}):
            would = await command("gc", "--dry-run")
            did = await command("gc")
        silent = await command("gc", "--json")
    assert (would.code, did.code, silent.code) == (0, 0, 1), silent.err
    for said in ("shop:1", "retention", "3.0 MiB", "3 would go", "2 more"):
        assert said in would.out
    assert "Nothing went." in did.out
    assert silent.document["state"] == "silent"


async def test_a_collection_may_be_of_one_project_alone(tmp_path: Path) -> None:
    named = list[UUID | None]()

    async def collect(report: Report, project: UUID | None) -> Collected:
        report("looks", 0, 1)
        named.append(project)
        items = [] if project is None else [Collectable(project=project, kind="cache", name="c", why="w", size=None)]
        return Collected(items=tuple(items))

    gateway = MemoryGateway()
    services: dict[Service, dict[Kind, Operation | OfProjects]] = {
        Service.BUILDER: {Kind.COLLECT: OfProjects(collect), Kind.VERIFY: operations()[Kind.VERIFY]}
    }
    async with command_for(gateway, tmp_path) as command, gateway.client() as client, answering(gateway, services):
        await client.post("/deployments", json=DEPLOY)
        (project,) = (await client.get("/projects")).json()
        did, every = await command("gc", "shop"), await command("gc")
        unknown = await command("gc", "shoe", "--json")
        body = {"service": "builder", "kind": "verify", "project": "shop"}
        wrong = await client.post("/operations", json=body)
        bad: tuple[object, ...] = ("", "x" * 101, 7, [])
        refused = [await client.post("/operations", json={**body, "project": one}) for one in bad]
        about_none = await Asking(gateway.operations, utc_now).outcome(Service.BUILDER, Kind.VERIFY, "x", UUID(int=1))
    assert (did.code, every.code) == (0, 0), did.err
    assert named == [UUID(project["id"]), None]
    assert "shop" in did.out
    assert project["id"] not in did.out
    assert unknown.code == 1
    assert "no project shoe" in unknown.err
    assert (wrong.status_code, wrong.json()["field"]) == (422, "project")
    assert [answer.status_code for answer in refused] == [422] * 4
    assert isinstance(about_none, Failed)  # never done to all because of a project that it does not heed


async def test_the_command_quarantines_and_lists(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with (
        command_for(gateway, tmp_path) as command,
        answering(gateway, {Service.ROUTER: operations(halted_at(7))}),
    ):
        wrong = await command("quarantine", "router", "8", "--reason", "why not")
        made = await command("quarantine", "router", "7", "--reason", "A test of 2.0")
        listed = await command("quarantine", "list")
    assert wrong.code == 1
    assert "stands still at sequence 7" in wrong.err
    assert made.code == 0, made.err
    assert "router: passes over sequence 7 from now on" in made.out
    assert [word in listed.out for word in ("router", "7", "token:installation", "A test of 2.0")] == [True] * 4


async def test_doctor_tells_a_service_that_stands_still_from_one_that_is_dead(tmp_path: Path) -> None:
    gateway = MemoryGateway(silence=timedelta(seconds=1))
    services = {**EVERY, Service.ROUTER: operations(halted_at(7))}
    del services[Service.MONITOR]
    async with answering(gateway, services), command_for(gateway, tmp_path) as command:
        outcome = await command("doctor", "--json")
    checks = {check["name"]: check for check in outcome.document["checks"]}
    assert {name: checks[name]["verdict"] for name in Service} == {
        "gateway": "good",
        "builder": "good",
        "logs": "good",
        "router": "bad",
        "monitor": "bad",
    }
    assert "no sign of life" in checks["monitor"]["says"]
    assert "stand still" in checks["router"]["says"]
    assert outcome.code == 1
