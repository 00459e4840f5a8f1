"""The API over the log in memory: what it takes, what it refuses, and what it shows afterwards."""

import asyncio
from uuid import UUID

from support.api_requests import DEPLOY, assert_problem, deploy
from support.gateway_story import way_to_live
from support.memory_gateway import MemoryGateway
from windlass_contracts.events import Failed
from windlass_contracts.events.deployment import Stage
from windlass_contracts.ids import EventId, TeamId


async def test_a_deployment_is_accepted_once_its_request_is_in_the_log() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        accepted = await deploy(client)
    assert gateway.types() == ["project.created.v1", "environment.created.v1", "deployment.requested.v1"]
    assert accepted["sequence"] == 3
    short = UUID(accepted["deployment"]).hex[:12]
    assert accepted["urls"] == ["http://shop.localhost:8080", f"http://shop--id--{short}.localhost:8080"]


async def test_the_same_request_again_is_the_same_deployment() -> None:
    gateway = MemoryGateway()
    key = {"Idempotency-Key": "delivery-1"}
    async with gateway.client() as client:
        first = await client.post("/deployments", json=DEPLOY, headers=key)
        again = await client.post("/deployments", json=DEPLOY, headers=key)
        other = await client.post("/deployments", json={**DEPLOY, "ref": "other"}, headers=key)
    assert (first.status_code, first.json()) == (202, again.json())
    assert gateway.types().count("deployment.requested.v1") == 1
    assert_problem(other, 409, "Idempotency-Key")


async def test_many_first_requests_at_once_create_one_project() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        accepted = await asyncio.gather(*(deploy(client) for _ in range(4)))
    assert len({one["deployment"] for one in accepted}) == 4
    assert gateway.types().count("project.created.v1") == 1
    assert gateway.types().count("environment.created.v1") == 1


async def test_variables_go_into_the_vault_and_only_their_names_are_shown() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        accepted = await deploy(client, variables={"API_KEY": "hunter2"})
        view = (await client.get(f"/deployments/{accepted['deployment']}")).json()
        listed = (await client.get("/projects/shop/variables")).json()
    assert view["variables"] == ["API_KEY"]
    assert [(one["name"], one["environment"]) for one in listed] == [("API_KEY", "production")]
    bodies = [message.body for message in gateway.log._messages]
    assert not any(b"hunter2" in body for body in bodies)
    stored = [key async for key in gateway.secrets.keys()]  # noqa: SIM118 - a bucket is no dictionary
    assert [await gateway.vault.reveal(UUID(key)) for key in stored] == ["hunter2"]


async def test_what_was_just_written_here_is_known_to_the_next_decision() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        await deploy(client)
        gateway.rows.stay_at(gateway.log.length)
        done = await client.put("/projects/shop/variables/MODE", json={"value": "fast"})
        # Its own event is not in the rows: deciding without it would deploy without the variable.
        too_early = await client.post("/deployments", json=DEPLOY)
        gateway.rows.stay_at(None)
        accepted = await deploy(client)
        view = (await client.get(f"/deployments/{accepted['deployment']}")).json()
    assert done.json() == {"sequence": 4}
    assert_problem(too_early, 503)
    assert view["variables"] == ["MODE"]


async def test_one_team_sees_and_changes_nothing_of_another() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        accepted = await deploy(client, variables={"MODE": "fast"})
    end = gateway.log.length
    other = MemoryGateway(gateway.log, gateway.logs, gateway.secrets, team=TeamId(UUID(int=9)))
    identity = accepted["deployment"]
    async with other.client() as client:
        assert [(await client.get(path)).json() for path in ("/projects", "/deployments")] == [[], []]
        assert (await client.get("/events")).text == ""
        for path in (
            "/projects/shop",
            "/projects/shop/variables",
            f"/deployments/{identity}",
            f"/deployments/{identity[:4]}",
        ):
            assert_problem(await client.get(path), 404)
        assert_problem(await client.get(f"/deployments/{identity}/logs"), 404)
        assert_problem(await client.post(f"/deployments/{identity}/cancel"), 404)
        assert_problem(await client.post("/projects/shop/rollback", json={}), 404)
        assert_problem(await client.put("/projects/shop/variables/A", json={"value": "x"}), 404)
        assert_problem(await client.post("/deployments", json={**DEPLOY, "project": "shop"}), 409, "project")
    assert gateway.log.length == end


async def test_a_removed_variable_is_gone_and_removing_it_again_is_refused() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        await deploy(client, variables={"MODE": "fast"})
        path = "/projects/shop/variables/MODE"
        assert_problem(await client.delete(path), 404, "name")
        assert (await client.delete(path, params={"environment": "production"})).status_code == 200
        assert (await client.get("/projects/shop/variables")).json() == []


async def test_a_live_deployment_shows_its_steps_and_its_address() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        accepted = await deploy(client)
        await gateway.make_live(UUID(accepted["deployment"]), "shop")
        view = (await client.get(f"/deployments/{accepted['deployment'][:4]}")).json()
        (project,) = (await client.get("/projects")).json()
    assert (view["phase"], view["current"], view["urls"]) == ("live", True, ["http://shop.localhost:8080"])
    assert [step["name"] for step in view["steps"]] == ["queue", "build", "start", "health", "cutover", "route"]
    (production,) = project["environments"]
    assert (production["current"], production["url"]) == (accepted["deployment"], "http://shop.localhost:8080")


async def test_a_failure_is_shown_with_its_reason_and_the_remedy() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        accepted = await deploy(client)
        failed = Failed(stage=Stage.BUILD, code="exit", reason="The build command exited with 1.", exit_code=1)
        await gateway.tell(UUID(accepted["deployment"]), [way_to_live()[1], failed])
        view = (await client.get(f"/deployments/{accepted['deployment']}")).json()
        explained = (await client.get(f"/deployments/{accepted['deployment']}/explain")).json()
    assert (view["phase"], view["failure"]["stage"], view["failure"]["exit_code"]) == ("failed", "build", 1)
    assert view["failure"]["next"]
    assert view["urls"] == []
    assert "exited with 1" in explained["sentence"]


async def test_explain_names_what_is_awaited_from_whom_and_until_when() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        accepted = await deploy(client)
        explained = (await client.get(f"/deployments/{accepted['deployment']}/explain")).json()
    assert explained["owner"] == "builder"
    assert explained["until"] > explained["since"]


async def test_a_cancel_is_taken_before_the_cutover_and_refused_afterwards() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        first, second = await deploy(client), await deploy(client)
        canceled = await client.post(f"/deployments/{first['deployment']}/cancel")
        await gateway.tell(UUID(second["deployment"]), way_to_live()[1:6])
        late = await client.post(f"/deployments/{second['deployment']}/cancel")
        again = await client.post(f"/deployments/{first['deployment']}/cancel")
    assert canceled.status_code == 200
    assert gateway.types()[canceled.json()["sequence"] - 1] == "deployment.canceled.v1"
    assert "cutover" in assert_problem(late, 409)["detail"]
    assert "canceled" in assert_problem(again, 409)["detail"]


async def test_a_rollback_asks_for_the_version_before() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        assert_problem(await client.post("/projects/shop/rollback", json={}), 404, "project")
        first, second = await deploy(client), await deploy(client)
        assert_problem(await client.post("/projects/shop/rollback", json={}), 409, "environment")
        await gateway.make_live(UUID(first["deployment"]), "shop")
        assert_problem(await client.post("/projects/shop/rollback", json={}), 409, "to")
        await gateway.make_live(UUID(second["deployment"]), "shop")
        accepted = await client.post("/projects/shop/rollback")
        named = await client.post("/projects/shop/rollback", json={"to": second["deployment"]})
    assert accepted.status_code == 202
    assert accepted.json()["to"] == first["deployment"]
    assert gateway.log.at(accepted.json()["sequence"]).metadata.id == EventId(UUID(accepted.json()["request"]))
    assert "answers now" in assert_problem(named, 409, "to")["detail"]


async def test_a_read_waits_for_the_sequence_that_a_command_returned() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        await deploy(client)
        gateway.rows.stay_at(0)
        reading = asyncio.ensure_future(client.get("/projects", params={"at_least": 3}))
        await asyncio.sleep(0)
        gateway.rows.stay_at(None)
        answer = await reading
    assert [one["slug"] for one in answer.json()] == ["shop"]


async def test_a_read_that_would_show_too_little_says_so() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        answer = await client.get("/projects", params={"at_least": 7})
    assert "lags behind" in assert_problem(answer, 503)["detail"]


async def test_an_ambiguous_or_unknown_id_is_refused() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        for written, status in (("ffff", 404), ("fff", 422), ("hello", 422), ("%00%00%00%00", 422), ("f" * 33, 422)):
            assert_problem(await client.get(f"/deployments/{written}"), status, "deployment")


async def test_the_description_of_the_api_names_every_path() -> None:
    gateway = MemoryGateway()
    async with gateway.client(None) as client:
        document = (await client.get("/openapi.json")).json()
    assert {path.removeprefix("/api/v1") for path in document["paths"]} == {
        "/deployments/{deployment}/weight",
        "/projects/{slug}/environments/{name}/rollout/stop",
        "/projects/{slug}/runs",
        "/runs/{run}",
        "/runs/{run}/output",
        "/runs/{run}/cancel",
        "/audit",
        "/dead-letters/{dead_letter}/discard",
        "/dead-letters/{dead_letter}/retry",
        "/dead-letters",
        "/uploads/{digest}",
        "/projects/{slug}/credentials",
        "/projects/{slug}/credentials/{kind}",
        "/projects/{slug}/domains",
        "/projects/{slug}/domains/{host}",
        "/nodes",
        "/keys/rotation",
        "/keys",
        "/dead-letters/{dead_letter}",
        "/operations",
        "/operations/{service}/{operation}",
        "/projects/{slug}/variables/{name}/shredding",
        "/quarantine",
        "/deployments",
        "/deployments/{deployment}",
        "/deployments/{deployment}/cancel",
        "/deployments/{deployment}/explain",
        "/deployments/{deployment}/logs",
        "/deployments/{deployment}/places",
        "/deployments/{deployment}/promote",
        "/deployments/{deployment}/redeploy",
        "/deployments/{deployment}/restart",
        "/inspections",
        "/inspections/{inspection}",
        "/projects",
        "/projects/{slug}",
        "/projects/{slug}/deployments",
        "/projects/{slug}/environments/{name}",
        "/projects/{slug}/environments/{name}/release",
        "/projects/{slug}/environments/{name}/series",
        "/projects/{slug}/restart",
        "/projects/{slug}/rollback",
        "/projects/{slug}/scale",
        "/projects/{slug}/volumes/{name}",
        "/volumes",
        "/projects/{slug}/variables",
        "/projects/{slug}/variables/preview",
        "/projects/{slug}/webhooks",
        "/api/github/webhook",
        "/api/webhooks/{project}",
        "/projects/{slug}/variables/{name}",
        "/sign-in-links",
        "/tokens",
        "/tokens/{token}",
        "/events",
        "/status",
        "/healthz",
        "/readyz",
    }
    request = document["paths"]["/api/v1/deployments"]["post"]
    assert set(request["responses"]) >= {"202", "401", "409", "413", "422", "503"}
    assert document["components"]["securitySchemes"]


async def test_the_probes_need_no_token_and_status_says_what_each_service_did() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        accepted = await deploy(client)
        await gateway.tell(UUID(accepted["deployment"]), way_to_live()[1:2])
        ready = await client.get("http://windlass.localhost/readyz", headers={"Authorization": ""})
        status = (await client.get("/status")).json()
    assert ready.json()["ready"] is True
    assert status["log"] == {"ready": True, "head": 4, "position": 4, "lag": 0, "why": None}
    services = {one["name"]: one["last_type"] for one in status["services"]}
    assert (services["builder"], services["router"]) == ("build.started.v1", None)
