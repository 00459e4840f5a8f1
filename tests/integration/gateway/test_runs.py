"""Commands that run once are asked for where something is live, shown to who asked alone, and canceled once."""

import json
from uuid import UUID, uuid4

from support.api_requests import assert_problem, deploy
from support.memory_gateway import MemoryGateway
from windlass_contracts.events import RunRequested
from windlass_eventlog.memory import MemoryReactors
from windlass_gateway.application.forgetting import ForgettingCommands


async def test_a_command_needs_something_that_is_live_and_its_line_is_not_in_the_log() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        wanted = {"command": "echo sesame"}
        assert_problem(await client.post("/projects/shop/runs", json=wanted), 404, "project")
        first = await deploy(client)
        assert_problem(await client.post("/projects/shop/runs", json=wanted), 409, "environment")
        unbuilt = {**wanted, "deployment": first["deployment"]}
        assert_problem(await client.post("/projects/shop/runs", json=unbuilt), 409, "deployment")
        await gateway.make_live(UUID(first["deployment"]), "shop")
        for bad in ({"command": ""}, {"command": "a\x00b"}, {**wanted, "deadline_s": 0}, {**wanted, "more": 1}, {}):
            assert (await client.post("/projects/shop/runs", json=bad)).status_code == 422, bad
        accepted = await client.post("/projects/shop/runs", json=wanted)
    assert accepted.status_code == 202, accepted.text
    asked = gateway.log.at(accepted.json()["sequence"]).event
    assert isinstance(asked, RunRequested)
    assert str(asked.deployment) == first["deployment"]
    assert "sesame" not in asked.model_dump_json()
    assert await gateway.vault.reveal(asked.command) == "echo sesame"


async def test_a_canceled_command_says_so_at_the_end_of_its_output_and_is_canceled_once() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        first = await deploy(client)
        await gateway.make_live(UUID(first["deployment"]), "shop")
        run = (await client.post("/projects/shop/runs", json={"command": "sleep 9"})).json()["run"]
        assert_problem(await client.post(f"/runs/{uuid4()}/cancel"), 404, "run")
        assert_problem(await client.get(f"/runs/{uuid4()}/output"), 404, "run")
        canceled = await client.post(f"/runs/{run}/cancel")
        assert canceled.status_code == 200, canceled.text
        assert_problem(await client.post(f"/runs/{run}/cancel"), 409, "run")
        output = await client.get(f"/runs/{run}/output", params={"at_least": canceled.json()["sequence"]})
    assert [json.loads(line) for line in output.text.splitlines()] == [{"end": "canceled"}]


async def test_the_line_of_a_command_is_deleted_once_it_has_ended() -> None:
    gateway = MemoryGateway()
    reactors = MemoryReactors(gateway.log, gateway.rows, [ForgettingCommands(gateway.gateway).reactor])
    async with gateway.client() as client:
        first = await deploy(client)
        await gateway.make_live(UUID(first["deployment"]), "shop")
        accepted = (await client.post("/projects/shop/runs", json={"command": "echo sesame"})).json()
        asked = gateway.log.at(accepted["sequence"]).event
        assert isinstance(asked, RunRequested)
        await reactors.settle()
        assert await gateway.vault.has(asked.command), "it is needed until the end"
        await client.post(f"/runs/{accepted['run']}/cancel")
        await reactors.settle()
    assert not await gateway.vault.has(asked.command)
