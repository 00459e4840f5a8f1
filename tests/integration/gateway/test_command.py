"""The command against a real gateway: what it prints, in JSON and for people, and how it exits."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from support.command import DEPLOY, Command, command_for, finished
from support.gateway_story import way_to_live
from support.http_server import served
from support.memory_gateway import TOKEN, MemoryGateway
from windlass_contracts.events import AliasesChanged, Failed, PromotionRequested, RollbackRequested, RoutesFailed
from windlass_contracts.events.deployment import Stage
from windlass_contracts.subjects import Aggregate, AggregateKey


async def next_deployment(gateway: MemoryGateway) -> UUID:
    """Return the deployment whose request is appended next."""
    seen = gateway.log.length
    async for recorded in gateway.log.read(seen):
        if recorded.key.aggregate is Aggregate.DEPLOYMENT:
            return recorded.key.id
    raise AssertionError


async def deployed(
    gateway: MemoryGateway, command: Command, tell: Callable[[UUID], Awaitable[None]], *more: str
) -> Any:  # noqa: ANN401 - what the command ended with
    """Run `windlass deploy` while the other services do what `tell` says."""
    requested = asyncio.ensure_future(next_deployment(gateway))
    process = await command.start(*DEPLOY, *more)
    identity = await requested
    await tell(identity)
    return await finished(process)


async def test_a_deployment_is_watched_until_it_is_live(tmp_path: Path) -> None:
    gateway = MemoryGateway()

    async def go_live(identity: UUID) -> None:
        await gateway.write_log(identity, "build-1", "Collecting flask", "\x1b[32mdone\x1b[0m\x1b]0;title\x07")
        await gateway.make_live(identity, "shop")

    async with command_for(gateway, tmp_path) as command:
        outcome = await deployed(gateway, command, go_live)
    assert outcome.code == 0, outcome.err
    assert [line.split()[1] for line in outcome.out.splitlines() if line.startswith("done:")] == [
        "queue",
        "build",
        "start",
        "health",
        "cutover",
        "route",
    ]
    assert outcome.out.count("build-1 | Collecting flask") == 1
    assert "build-1 | done\n" in outcome.out
    assert "http://shop.localhost:8080" in outcome.out


async def test_a_failed_deployment_exits_with_1_and_says_why_and_what_to_do(tmp_path: Path) -> None:
    gateway = MemoryGateway()

    async def fail(identity: UUID) -> None:
        failed = Failed(stage=Stage.BUILD, code="exit", reason="The build command exited with 1.", exit_code=1)
        await gateway.tell(identity, [way_to_live()[1]])
        await gateway.write_log(identity, "build-1", "no matching distribution")
        await gateway.tell(identity, [failed])

    async with command_for(gateway, tmp_path) as command:
        outcome = await deployed(gateway, command, fail)
        as_json = await deployed(gateway, command, fail, "--json")
    assert outcome.code == 1
    assert "Failed at the stage build" in outcome.out
    assert "no matching distribution" in outcome.out
    assert "broke off: build" in outcome.out
    assert as_json.code == 1
    assert as_json.document["failure"]["reason"] == "The build command exited with 1."


async def test_a_gateway_that_restarts_does_not_end_the_watching(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with served(gateway) as url:
        command = Command(tmp_path, {"WINDLASS_URL": url, "WINDLASS_TOKEN": TOKEN})
        requested = asyncio.ensure_future(next_deployment(gateway))
        process = await command.start(*DEPLOY)
        identity = await requested
        assert process.stdout is not None
        await process.stdout.readline()
    again = MemoryGateway(gateway.log, gateway.logs, gateway.secrets)
    async with served(again, port=int(url.rsplit(":", 1)[1])):
        await again.make_live(identity, "shop")
        outcome = await finished(process)
    assert outcome.code == 0, outcome.err
    assert outcome.out.count("done: ") == 6


async def test_without_waiting_the_request_is_answered_at_once(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with command_for(gateway, tmp_path) as command:
        outcome = await command(*DEPLOY, "--no-wait", "--json", "--probe", "/health", "--memory", "64", "--port", "90")
    assert outcome.code == 0, outcome.err
    assert outcome.document["project"] == "shop"
    config = gateway.log.at(gateway.log.length).event.model_dump()["config"]
    assert (config["probe"]["path"], config["port"]) == ("/health", 90)
    assert config["limits"]["memory_bytes"] == 64 * 1024 * 1024


async def test_variables_come_from_an_env_file_and_never_show(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    (tmp_path / ".env").write_text("export A='one two' # comment\nB=\"line\\nbreak\"\nC=\nD=${A}\nA=last\n")
    (tmp_path / "bare.env").write_text("A\n")
    async with command_for(gateway, tmp_path) as command:
        outcome = await command(*DEPLOY, "--no-wait", "--env-file", ".env")
        bare = await command(*DEPLOY, "--no-wait", "--env-file", "bare.env")
        missing = await command(*DEPLOY, "--no-wait", "--env-file", "none.env")
        listed = await command("env", "list", "shop", "--json")
    assert outcome.code == 0, outcome.err
    assert [one["name"] for one in listed.document] == ["A", "B", "C", "D"]
    values = [await gateway.vault.reveal(UUID(key)) async for key in gateway.secrets.keys()]  # noqa: SIM118 - a bucket
    assert sorted(values) == ["", "last", "line\nbreak", "one two"]
    assert (bare.code, "Line 1" in bare.err and "A is given no value" in bare.err) == (1, True)
    assert (missing.code, "cannot be read" in missing.err) == (1, True)


async def test_an_env_file_is_checked_and_imported(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    (tmp_path / ".env").write_text("A=1\nB=hunter2\nA=2\n")
    (tmp_path / "bad.env").write_text("A=1\nnonsense here\n")
    async with command_for(gateway, tmp_path) as command:
        await command(*DEPLOY, "--no-wait")
        checked = await command("env", "import", "shop", ".env", "--check")
        bad = await command("env", "import", "shop", "bad.env")
        none = await command("env", "list", "shop", "--json")
        done = await command("env", "import", "shop", ".env", "--json")
        listed = await command("env", "list", "shop", "--json")
    assert (checked.code, "Added: A, B" in checked.out, "Line 3" in checked.out) == (0, True, True), checked.err
    assert (bad.code, "Line 2" in bad.err) == (1, True)
    assert none.document == []
    assert done.document["sequence"] == gateway.log.length
    assert [one["name"] for one in listed.document] == ["A", "B"]
    assert "hunter2" not in checked.out + done.out


async def test_a_project_is_deployed_without_its_address_and_a_deployment_repeated(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with command_for(gateway, tmp_path) as command:
        first = await command(*DEPLOY, "--no-wait", "--json")
        by_project = await command("deploy", "--project", "shop", "--ref", "next", "--no-wait", "--json")
        again = await command("redeploy", first.document["deployment"][:8], "--no-wait", "--json")
        nothing = await command("deploy", "--ref", "next")
    assert (by_project.code, again.code, nothing.code) == (0, 0, 1), by_project.err + again.err
    assert gateway.types().count("deployment.requested.v1") == 3
    assert gateway.log.at(by_project.document["sequence"]).event.model_dump()["source"]["ref"] == "next"
    assert gateway.log.at(again.document["sequence"]).event.model_dump()["trigger"] == "redeploy"
    assert "--project" in nothing.err


async def test_the_branches_of_an_environment_are_set_and_listed(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with command_for(gateway, tmp_path) as command:
        await command(*DEPLOY, "--no-wait")
        done = await command("environments", "set", "shop", "staging", "develop", "release/*")
        taken = await command("environments", "set", "shop", "other", "develop")
        listed = await command("environments", "list", "shop")
    assert (done.code, "develop, release/*" in done.out) == (0, True), done.err
    assert (taken.code, "staging" in taken.err) == (1, True)
    assert "the default branch" in listed.out
    assert "develop, release/*" in listed.out


async def test_variables_are_set_from_arguments_or_standard_input_and_removed(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with command_for(gateway, tmp_path) as command:
        await command(*DEPLOY, "--no-wait")
        given = await command("env", "set", "shop", "A=x=y")
        read = await command("env", "set", "shop", "B", "--environment", "production", stdin=b"hidden\n")
        gone = await command("env", "unset", "shop", "A", "--json")
        listed = await command("env", "list", "shop", "--json")
    assert (given.code, read.code, gone.code) == (0, 0, 0), given.err + read.err + gone.err
    assert [(one["name"], one["environment"]) for one in listed.document] == [("B", "production")]
    values = [await gateway.vault.reveal(UUID(key)) async for key in gateway.secrets.keys()]  # noqa: SIM118 - a bucket
    assert sorted(values) == ["hidden", "x=y"]


async def test_ps_shows_what_is_live_replaced_and_under_way(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with command_for(gateway, tmp_path) as command:
        empty = await command("ps")
        ids = [UUID((await command(*DEPLOY, "--no-wait", "--json")).document["deployment"]) for _ in range(3)]
        await gateway.make_live(ids[0], "shop")
        await gateway.make_live(ids[1], "shop")
        listed = await command("ps")
        as_json = await command("ps", "shop", "--json")
    assert "windlass deploy" in empty.out
    header, *rows = listed.out.splitlines()
    assert header.startswith("DEPLOYMENT")
    assert [row.split()[3] for row in rows] == ["requested", "live", "replaced"]
    assert [one["id"] for one in as_json.document] == [str(identity) for identity in reversed(ids)]


async def test_logs_follow_a_deployment_and_show_what_a_project_answers_with(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with command_for(gateway, tmp_path) as command:
        identity = UUID((await command(*DEPLOY, "--no-wait", "--json")).document["deployment"])
        await gateway.write_log(identity, "build-1", "one", "\x1b[2Jtwo")
        process = await command.start("logs", "-f", identity.hex[:6])
        assert process.stdout is not None
        seen = [await process.stdout.readline() for _ in range(2)]
        await gateway.write_log(identity, "build-1", "three", first=2)
        seen.append(await process.stdout.readline())
        process.terminate()
        await finished(process)
        of_project = await command("logs", "shop", "--json")
        unknown = await command("logs", "nothing")
    assert [line.decode().split(" | ")[1] for line in seen] == ["one\n", "two\n", "three\n"]
    assert [line["text"] for line in of_project.documents] == ["one", "\x1b[2Jtwo", "three"]
    assert (unknown.code, "no project 'nothing'" in unknown.err) == (1, True)


async def test_a_rollback_returns_once_its_routes_are_confirmed(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with command_for(gateway, tmp_path) as command:
        ids = [UUID((await command(*DEPLOY, "--no-wait", "--json")).document["deployment"]) for _ in range(2)]
        for identity in ids:
            await gateway.make_live(identity, "shop")
        end = gateway.log.length
        process = await command.start("rollback", "shop", "--json")
        request = await anext(aiter(gateway.log.read(end)))
        assert isinstance(request.event, RollbackRequested)
        await gateway.route(ids[0], "shop", request.metadata.id)
        done = await finished(process)
        refused = await command("rollback", "shop", "--to", ids[0].hex)
    assert (done.code, done.document["to"]) == (0, str(ids[0])), done.err
    assert (refused.code, "answers now" in refused.err) == (1, True)


async def test_a_promotion_returns_once_its_routes_are_confirmed(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with command_for(gateway, tmp_path) as command:
        ids = [UUID((await command(*DEPLOY, "--no-wait", "--json")).document["deployment"]) for _ in range(2)]
        for identity in ids:
            await gateway.make_live(identity, "shop")
        end = gateway.log.length
        process = await command.start("promote", ids[0].hex, "--to", "production")
        request = await anext(aiter(gateway.log.read(end)))
        assert isinstance(request.event, PromotionRequested)
        await gateway.route(ids[0], "shop", request.metadata.id)
        done = await finished(process)
        again = await command("promote", ids[0].hex)
        nowhere = await command("promote", ids[0].hex, "--to", "nowhere")
    assert (done.code, f"production of shop answers with deployment {ids[0]}" in done.out) == (0, True), done.err
    assert (again.code, "answers now" in again.err) == (1, True)
    assert (nowhere.code, "nowhere" in nowhere.err) == (1, True)


async def test_an_environment_that_was_rolled_back_is_released_once(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with command_for(gateway, tmp_path) as command:
        ids = [UUID((await command(*DEPLOY, "--no-wait", "--json")).document["deployment"]) for _ in range(2)]
        for identity in ids:
            await gateway.make_live(identity, "shop")
        end = gateway.log.length
        process = await command.start("rollback", "shop")
        request = await anext(aiter(gateway.log.read(end)))
        await gateway.route(ids[0], "shop", request.metadata.id, why="rollback")
        back = await finished(process)
        listed = await command("environments", "list", "shop")
        released = await command("release", "shop")
        again = await command("release", "shop")
    assert (back.code, "windlass release shop" in back.out) == (0, True), back.err
    assert "held back since the rollback" in listed.out
    assert (released.code, "takes the next push" in released.out) == (0, True), released.err
    assert (again.code, "No rollback holds production" in again.err) == (1, True)


async def test_a_rollback_that_cannot_be_done_says_why(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with command_for(gateway, tmp_path) as command:
        ids = [UUID((await command(*DEPLOY, "--no-wait", "--json")).document["deployment"]) for _ in range(2)]
        for identity in ids:
            await gateway.make_live(identity, "shop")
        end = gateway.log.length
        process = await command.start("rollback", "shop")
        request = await anext(aiter(gateway.log.read(end)))
        failed = RoutesFailed(request=request.metadata.id, stage=Stage.START, code="exit", reason="It exited with 3.")
        key = AggregateKey.of_project(request.team, request.project, AliasesChanged.AGGREGATE)
        await gateway.append(key, failed)
        outcome = await finished(process)
    assert (outcome.code, outcome.err.splitlines()) == (1, ["It exited with 3.", "The addresses answer as before."])


async def test_events_are_shown_filtered_and_followed(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with command_for(gateway, tmp_path) as command:
        await command(*DEPLOY, "--no-wait")
        everything = await command("events", "--json")
        for_people = await command("events", "--type", "project.created")
        wrong = await command("events", "--type", "nonsense")
        process = await command.start("events", "--follow", "--after", "2", "--project", "shop")
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        process.terminate()
        await finished(process)
    assert [event["sequence"] for event in everything.documents] == [1, 2, 3]
    assert (len(for_people.out.splitlines()), "project.created.v1" in for_people.out) == (1, True)
    assert (wrong.code, "deployment.live" in wrong.err) == (1, True)
    assert "deployment.requested.v1" in line


async def test_explain_and_cancel_take_the_beginning_of_an_id(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with command_for(gateway, tmp_path) as command:
        identity = (await command(*DEPLOY, "--no-wait", "--json")).document["deployment"]
        waiting = await command("explain", identity[:4])
        canceled = await command("cancel", identity[:4])
        again = await command("cancel", identity[:4])
        ended = await command("explain", identity[:4], "--json")
    assert "builder" in waiting.out
    assert (canceled.code, identity in canceled.out) == (0, True)
    assert (again.code, "canceled" in again.err) == (1, True)
    assert ended.document["phase"] == "canceled"


async def test_doctor_says_what_works_and_what_to_do_about_the_rest(tmp_path: Path) -> None:
    gateway = MemoryGateway(silence=timedelta(seconds=0.2))
    async with command_for(gateway, tmp_path) as command:
        outcome = await command("doctor", "--json")
    checks = {check["name"]: check for check in outcome.document["checks"]}
    assert {"api", "version", "log", "gateway", "builder", "proxy", "engine", "disk"} <= set(checks)
    assert (checks["api"]["verdict"], checks["log"]["verdict"]) == ("good", "good")
    assert all(check["remedy"] or check["verdict"] == "good" for check in checks.values())


async def test_a_field_that_does_not_fit_is_named(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with command_for(gateway, tmp_path) as command:
        outcome = await command(*DEPLOY, "--no-wait", "--project", "x" * 41)
    assert outcome.code == 1
    assert outcome.err.startswith("project: ")


async def test_a_variable_for_all_that_an_environment_has_of_its_own_is_said_not_to_change_there(
    tmp_path: Path,
) -> None:
    gateway = MemoryGateway()
    (tmp_path / ".env").write_text("A=1\n")
    async with command_for(gateway, tmp_path) as command:
        assert (await command(*DEPLOY, "--no-wait", "--env-file", ".env")).code == 0
        covered = await command("env", "set", "shop", "A=2")
        meant = await command("env", "set", "shop", "A=2", "--environment", "production")
    assert "production keeps the A that was set for it alone" in covered.out
    assert "keeps the A" not in meant.out
