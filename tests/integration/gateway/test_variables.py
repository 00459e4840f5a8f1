"""Many variables at once: previewed, set together or not at all, and never shown."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest

from support.gateway_story import REPOSITORY
from support.memory_gateway import INSTALLATION, MemoryGateway
from windlass_contracts.cloudevent import Proposed
from windlass_contracts.event import Event
from windlass_contracts.events import VariableSet
from windlass_contracts.ids import EventId
from windlass_eventlog.log import Expected
from windlass_eventlog.memory.log import MemoryLog

PATH = "/projects/shop/variables"


async def shop(client: httpx.AsyncClient) -> None:
    answer = await client.post("/deployments", json={"git": REPOSITORY, "variables": {"OLD": "1"}})
    assert answer.status_code == 202, answer.text


async def values_of(gateway: MemoryGateway) -> dict[str, str]:
    events = [gateway.log.at(number).event for number in range(1, gateway.log.length + 1)]
    return {event.name: await gateway.vault.reveal(event.secret) for event in events if isinstance(event, VariableSet)}


async def test_a_preview_says_what_would_happen_and_changes_nothing() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        await shop(client)
        end = gateway.log.length
        body = {"env_file": "OLD=hunter2\nNEW=hunter2\nNEW=hunter2\n1X=hunter2\n", "environment": "production"}
        answer = await client.post(f"{PATH}/preview", json=body)
        everywhere = (await client.post(f"{PATH}/preview", json={"env_file": "OLD=1"})).json()
    preview = answer.json()
    assert (preview["added"], preview["replaced"], preview["kept"]) == (["NEW"], ["OLD"], [])
    assert ([one["line"] for one in preview["unreadable"]], [one["line"] for one in preview["remarks"]]) == ([4], [3])
    assert "hunter2" not in answer.text
    assert (everywhere["added"], gateway.log.length) == (["OLD"], end)


async def test_many_variables_are_set_at_once_by_name_or_as_a_file() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        await shop(client)
        done = await client.put(PATH, json={"variables": {"B": "2", "A": "1"}, "env_file": "C='x y'\nA=other"})
        listed = (await client.get(PATH)).json()
    assert done.json() == {"sequence": gateway.log.length}
    assert gateway.types()[-3:] == ["variable.set.v1"] * 3
    assert {one["name"]: one["environment"] for one in listed} == {"A": None, "B": None, "C": None, "OLD": "production"}
    assert await values_of(gateway) == {"OLD": "1", "A": "1", "B": "2", "C": "x y"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"env_file": "A=1\nnonsense"}, "env_file"),
        ({"env_file": "A=1\x00"}, "env_file"),
        ({"env_file": "\n".join(f"V{number}=" for number in range(301))}, "env_file"),
        ({"env_file": "x" * 600_000}, "env_file"),
        ({"variables": {f"V{number}": "" for number in range(300)}, "environment": "production"}, "variables"),
        ({"variables": {"1A": ""}}, None),
        ({}, "variables"),
    ],
)
async def test_when_one_variable_cannot_be_set_none_is(body: dict[str, Any], field: str | None) -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        await shop(client)
        end = gateway.log.length
        stored = [key async for key in gateway.secrets.keys()]  # noqa: SIM118 - a bucket is no dictionary
        answer = await client.put(PATH, json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["next"]
    if field is not None:
        assert answer.json()["field"] == field
    assert gateway.log.length == end
    assert [key async for key in gateway.secrets.keys()] == stored  # noqa: SIM118


class BusyLog(MemoryLog):
    """Lets somebody else write just before the variable B is set."""

    def __init__(self) -> None:
        super().__init__(INSTALLATION)
        self._is_free = True

    async def append(self, proposed: Proposed[Event], expected: Expected) -> int:
        if self._is_free and isinstance(proposed.event, VariableSet) and proposed.event.name == "B":
            self._is_free = False
            theirs = VariableSet(name="THEIRS", secret=UUID(int=7))
            metadata = replace(proposed.metadata, id=EventId(UUID(int=8)))
            await super().append(replace(proposed, event=theirs, metadata=metadata), expected)
        return await super().append(proposed, expected)


async def test_what_was_set_before_somebody_else_came_between_is_not_set_twice() -> None:
    gateway = MemoryGateway(BusyLog())
    async with gateway.client() as client:
        await shop(client)
        done = await client.put(PATH, json={"variables": {"A": "1", "B": "2", "C": "3"}})
    assert done.status_code == 200, done.text
    events = [gateway.log.at(number).event for number in range(1, gateway.log.length + 1)]
    assert [one.name for one in events if isinstance(one, VariableSet)] == ["OLD", "A", "THEIRS", "B", "C"]


async def test_a_deployment_takes_its_variables_from_a_file() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        body = {"git": REPOSITORY, "env_file": "A='x'\nB=1", "variables": {"B": "2"}}
        accepted = await client.post("/deployments", json=body)
        refused = await client.post("/deployments", json={**body, "env_file": "A='x"})
    assert accepted.status_code == 202
    assert (refused.status_code, refused.json()["field"]) == (422, "env_file")
    assert await values_of(gateway) == {"A": "x", "B": "2"}
