"""What is done with a project that exists: look into its repository, deploy it again, configure it."""

from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from support.command import command_for
from support.gateway_story import COMMIT, REPOSITORY, way_to_live
from support.memory_gateway import MemoryGateway
from windlass_contracts.events import (
    DeploymentRequested,
    InspectionFailed,
    InspectionRequested,
    ProjectConfigured,
    SourceInspected,
)
from windlass_contracts.events.deployment import GitSource, Recipe
from windlass_contracts.ids import InspectionId, TeamId
from windlass_contracts.subjects import AggregateKey

DEPLOY = {"git": REPOSITORY, "ref": "main"}


async def deploy(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON of a request
    answer = await client.post("/deployments", json={**DEPLOY, **changes})
    assert answer.status_code == 202, answer.text
    accepted: dict[str, Any] = answer.json()
    return accepted


def refused(answer: httpx.Response, status: int, field: str | None = None) -> str:
    assert answer.status_code == status, answer.text
    problem = answer.json()
    assert problem["next"]
    assert problem["field"] == field
    return str(problem["detail"])


def last_request(gateway: MemoryGateway) -> DeploymentRequested:
    event = gateway.log.at(gateway.log.length).event
    assert isinstance(event, DeploymentRequested)
    return event


def inspection_key(gateway: MemoryGateway, identity: str) -> AggregateKey:
    return AggregateKey.of_inspection(gateway.team, InspectionId(UUID(identity)))


async def test_an_inspection_is_asked_for_and_shows_the_builders_answer() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        asked = await client.post("/inspections", json={**DEPLOY, "root": "apps/web"})
        path = f"/inspections/{asked.json()['inspection']}"
        before = (await client.get(path)).json()
        found = SourceInspected(commit=COMMIT, branch="main", recipe=Recipe(runner="python"), duration_ms=5)
        await gateway.append(inspection_key(gateway, asked.json()["inspection"]), found)
        after = (await client.get(path)).json()
    assert asked.status_code == 202
    event = gateway.log.at(asked.json()["sequence"]).event
    assert event == InspectionRequested(source=GitSource(repository=REPOSITORY, ref="main"), root="apps/web")
    assert (before["phase"], before["answer"]) == ("requested", None)
    assert (after["phase"], after["answer"]["recipe"]["runner"], after["failure"]) == ("answered", "python", None)


async def test_an_inspection_that_failed_says_why() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        asked = (await client.post("/inspections", json=DEPLOY)).json()["inspection"]
        failed = InspectionFailed(code="not-found", reason="There is no such repository.")
        await gateway.append(inspection_key(gateway, asked), failed)
        view = (await client.get(f"/inspections/{asked}")).json()
    assert (view["phase"], view["failure"]["code"]) == ("failed", "not-found")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"git": "nonsense"}, "git"),
        ({"git": "https://user:hunter2@host/owner/shop"}, "git"),
        ({"ref": "-o evil"}, "ref"),
        ({"root": "../.."}, "root"),
        ({"surprise": 1}, "surprise"),
    ],
)
async def test_an_inspection_of_nonsense_is_refused(changes: dict[str, Any], field: str) -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        answer = await client.post("/inspections", json={**DEPLOY, **changes})
    refused(answer, 422, field)
    assert gateway.types() == []


async def test_inspections_belong_to_their_team() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        asked = (await client.post("/inspections", json=DEPLOY)).json()["inspection"]
    other = MemoryGateway(gateway.log, gateway.logs, gateway.secrets, team=TeamId(UUID(int=9)))
    async with other.client() as client:
        refused(await client.get(f"/inspections/{asked}"), 404, "inspection")


async def test_a_redeploy_takes_the_resolved_commit_with_the_settings_of_now() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        first = await deploy(client, variables={"MODE": "slow"})
        await gateway.make_live(UUID(first["deployment"]), "shop")
        await client.patch("/projects/shop", json={"config": {"port": 9000}})
        await client.put("/projects/shop/variables/MODE", json={"value": "fast", "environment": "production"})
        again = await client.post(f"/deployments/{first['deployment'][:8]}/redeploy")
        view = (await client.get(f"/deployments/{again.json()['deployment']}")).json()
    assert again.status_code == 202
    event = last_request(gateway)
    assert event.source == GitSource(repository=REPOSITORY, ref="main", commit=COMMIT)
    assert (event.trigger, str(event.based_on), event.config.port) == ("redeploy", first["deployment"], 9000)
    assert await gateway.vault.reveal(event.variables[0].secret) == "fast"
    assert (view["based_on"], view["commit"]) == (first["deployment"], COMMIT)


async def test_a_deployment_that_never_found_its_commit_is_redeployed_by_its_ref_in_its_environment() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        first = await deploy(client, environment="staging")
        again = await client.post(f"/deployments/{first['deployment']}/redeploy")
    assert again.json()["environment"] == "staging"
    assert last_request(gateway).source == GitSource(repository=REPOSITORY, ref="main")


async def test_a_redeploy_with_the_same_key_is_one_deployment() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        first = await deploy(client)
        path, key = f"/deployments/{first['deployment']}/redeploy", {"Idempotency-Key": "once"}
        answers = [(await client.post(path, headers=key)).json() for _ in range(2)]
        await gateway.tell(UUID(first["deployment"]), way_to_live()[1:2])
        refused(await client.post("/deployments/ffffffff/redeploy"), 404, "deployment")
    assert answers[0] == answers[1]
    assert gateway.types().count("deployment.requested.v1") == 2


async def test_a_project_is_deployed_by_a_ref_or_a_commit_of_its_own_repository() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        await deploy(client)
        path = "/projects/shop/deployments"
        by_ref = await client.post(path, json={"ref": "next", "environment": "staging"})
        assert last_request(gateway).source == GitSource(repository=REPOSITORY, ref="next")
        by_commit = await client.post(path, json={"ref": COMMIT})
        assert last_request(gateway).source == GitSource(repository=REPOSITORY, commit=COMMIT)
        refused(await client.post(path, json={"ref": "a..b"}), 422, "ref")
        refused(await client.post("/projects/none/deployments", json={}), 404, "project")
        await client.patch("/projects/shop", json={"repository": None})
        refused(await client.post(path, json={}), 409, "repository")
    assert (by_ref.status_code, by_ref.json()["environment"]) == (202, "staging")
    assert by_commit.json()["environment"] == "production"


async def test_a_projects_settings_change_by_what_is_said_and_by_nothing_else() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        await deploy(client, config={"start_command": "run"})
        done = await client.patch("/projects/shop", json={"default_branch": "trunk", "config": {"port": 9000}})
        view = (await client.get("/projects/shop", params={"at_least": done.json()["sequence"]})).json()
        again = await client.patch("/projects/shop", json={"default_branch": "trunk"})
        await client.post("/projects/shop/deployments", json={})
    assert isinstance(gateway.log.at(done.json()["sequence"]).event, ProjectConfigured)
    assert (view["default_branch"], view["repository"], view["name"]) == ("trunk", REPOSITORY, "shop")
    assert (view["config"]["port"], view["config"]["start_command"]) == (9000, "run")
    assert again.json() == done.json()
    assert last_request(gateway).source == GitSource(repository=REPOSITORY, ref="trunk")


async def test_the_command_says_and_changes_how_many_releases_stay(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with command_for(gateway, tmp_path) as command, gateway.client() as client:
        await deploy(client)
        before = await command("project", "show", "shop")
        saved = await command("project", "set", "shop", "--keep-releases", "1")
        after = await command("project", "show", "shop")
        bad = [await command("project", "set", "shop", "--keep-releases", value) for value in ("0", "1001", "many")]
        await client.post("/projects/shop/deployments", json={})
    assert "Keeps: the last 10 releases, and all that an address points at" in before.out
    assert saved.code == 0, saved.err
    assert "Keeps: the last release, and all that an address points at" in after.out
    assert [one.code for one in bad] == [2] * 3
    assert last_request(gateway).config.keep_releases == 1


async def test_the_command_says_and_changes_how_a_version_is_watched(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with command_for(gateway, tmp_path) as command, gateway.client() as client:
        await deploy(client)
        before = await command("project", "show", "shop")
        change = ("--restore-in", "everywhere", "--errors-percent", "20", "--probe-every-s", "2")
        saved = await command("project", "set", "shop", *change)
        after = await command("project", "show", "shop")
        bad = await command("project", "set", "shop", "--watch-window-s", "9")
    assert "in production, within 300 s after it went live" in before.out
    assert saved.code == 0, saved.err
    assert "Probed while it runs: every 2 s; unhealthy after 3 bad answers in a row" in after.out
    assert "in every environment, within 300 s after it went live, if its containers fail or 20 % of" in after.out
    assert (bad.code, bad.err.startswith("config.watch.window_s: ")) == (1, True), bad.err


async def test_the_command_says_and_changes_what_containers_may_write(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with command_for(gateway, tmp_path) as command, gateway.client() as client:
        await deploy(client)
        said = [await command("project", "show", "shop")]
        for value in ("512", "0"):
            saved = await command("project", "set", "shop", "--scratch-mib", value)
            assert saved.code == 0, saved.err
            said.append(await command("project", "show", "shop"))
        bad = await command("project", "set", "shop", "--scratch-mib", "15")
    bounds = [line for one in said for line in one.out.splitlines() if line.startswith("May write: ")]
    rest = "outside of its volumes, in each container"
    free, bound = f"May write: as much as the node allows {rest}", f"May write: 512 MiB {rest}"
    assert bounds == [free, bound, free]
    assert (bad.code, bad.err.startswith("config.scratch_mib: ")) == (1, True), bad.err


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"repository": "nonsense"}, "repository"),
        ({"default_branch": "-x"}, "default_branch"),
        ({"name": "a\u202eb"}, "name"),
        ({"name": "x" * 10_000}, "name"),
        ({"config": {"port": 0}}, "config.port"),
        ({"config": {"keep_releases": 0}}, "config.keep_releases"),
        ({"config": {"keep_releases": 1_001}}, "config.keep_releases"),
        ({"config": {"keep_releases": "many"}}, "config.keep_releases"),
        ({"config": {"liveness": {"every_s": 301}}}, "config.liveness.every_s"),
        ({"config": {"liveness": {"failures": 0}}}, "config.liveness.failures"),
        ({"config": {"watch": {"restore_in": "here"}}}, "config.watch.restore_in"),
        ({"config": {"watch": {"window_s": 86_401}}}, "config.watch.window_s"),
        ({"config": {"watch": {"errors_percent": 0}}}, "config.watch.errors_percent"),
        ({"slug": "other"}, "slug"),
    ],
)
async def test_settings_that_cannot_be_are_refused(change: dict[str, Any], field: str) -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        await deploy(client)
        end = gateway.log.length
        refused(await client.patch("/projects/shop", json=change), 422, field)
    assert gateway.log.length == end


async def test_an_environment_is_made_and_its_branches_changed() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        await deploy(client)
        path = "/projects/shop/environments/staging"
        refused(await client.get(path), 404, "environment")
        created = await client.put(path, json={"branches": ["develop", "release/*"]})
        view = (await client.get(path)).json()
        changed = await client.put(path, json={"branches": ["develop"]})
        same = await client.put(path, json={"branches": ["develop"]})
        production = (await client.get("/projects/shop/environments/production")).json()
    assert (view["name"], view["production"], view["branches"]) == ("staging", False, ["develop", "release/*"])
    assert gateway.types()[-2:] == ["environment.created.v1", "environment.configured.v1"]
    assert created.json() != changed.json() == same.json()
    assert (production["takes_default_branch"], production["branches"]) == (True, [])


@pytest.mark.parametrize(
    ("name", "body", "status", "field"),
    [
        ("env-x", {"branches": []}, 422, "name"),
        ("staging", {"branches": ["\u202e"]}, 422, "branches.0"),
        ("staging", {"branches": ["x" * 251]}, 422, "branches.0"),
        ("staging", {"branches": [str(number) for number in range(101)]}, 422, "branches"),
        ("staging", {"branches": ["main"]}, 409, "branches"),
        ("staging", {"branches": "main"}, 422, "branches"),
    ],
)
async def test_branches_that_cannot_be_are_refused(name: str, body: dict[str, Any], status: int, field: str) -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        await deploy(client)
        await client.put("/projects/shop/environments/production", json={"branches": ["main"]})
        end = gateway.log.length
        refused(await client.put(f"/projects/shop/environments/{name}", json=body), status, field)
    assert gateway.log.length == end
