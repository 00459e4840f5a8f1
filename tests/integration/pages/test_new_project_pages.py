"""From a repository's address to the first deployment."""

import re
from urllib.parse import urlsplit

import httpx
import pytest

from support.dashboard_story import DashboardStory
from support.memory_gateway import MemoryGateway
from windlass_contracts.events import DeploymentRequested, InspectionFailed, InspectionRequested, SourceInspected
from windlass_contracts.events.deployment import GitSource, Recipe
from windlass_contracts.events.inspection import Head
from windlass_contracts.subjects import AggregateKey

ADDRESS = "https://git.example.com/harbour/tide-tables"
FOUND = SourceInspected(
    commit="a" * 40,
    branch="main",
    recipe=Recipe(
        runner="node", build_command="npm ci", start_command="npm run start & <b>", detected_by="start-script"
    ),
    branches=(Head(name="main", commit="a" * 40), Head(name='"><img/src=x>', commit="b" * 40)),
    duration_ms=80,
)


async def inspected(client: httpx.AsyncClient, gateway: MemoryGateway) -> tuple[str, AggregateKey]:
    answer = await client.post("/new", data={"git": ADDRESS, "root": "apps/web/"})
    assert answer.status_code == 303, answer.text
    asked = gateway.log.at(gateway.log.length)
    assert isinstance(asked.event, InspectionRequested)
    assert asked.event.root == "apps/web"
    return urlsplit(answer.headers["location"]).path, asked.key


async def test_what_was_found_is_shown_with_its_reason_and_deployed(
    client: httpx.AsyncClient, gateway: MemoryGateway, story: DashboardStory
) -> None:
    path, key = await inspected(client, gateway)
    waiting = (await client.get(path)).text
    assert "Looking into the repository" in waiting
    assert "<form" not in waiting.split('id="step"')[1].split("</section>")[0]
    await story.append(key, FOUND)
    page = (await client.get(path)).text
    assert "package.json has a start script." in page
    assert "npm run start &amp; &lt;b&gt;" in page
    assert "<img/src" not in page
    fields = {"git": ADDRESS, "key": "k", "project": "tides", "ref": "main", "env": "A=1\nB='two\nlines'\n"}
    answer = await client.post(path, data=fields)
    assert answer.status_code == 303
    requested = gateway.log.at(gateway.log.length)
    assert isinstance(requested.event, DeploymentRequested)
    assert requested.event.source == GitSource(repository=ADDRESS, ref="main")
    assert [one.name for one in requested.event.variables] == ["A", "B"]
    assert answer.headers["location"].startswith(f"/deployments/{requested.key.id}")


async def test_it_is_filled_in_by_hand_where_nothing_was_found_or_nobody_answers(
    client: httpx.AsyncClient, gateway: MemoryGateway, story: DashboardStory
) -> None:
    path, key = await inspected(client, gateway)
    assert 'name="start_command"' in (await client.get(path, params={"by_hand": "true"})).text
    await story.append(key, InspectionFailed(code="not-found", reason="There is no such repository."))
    assert "There is no such repository." in (await client.get(path)).text
    fields = {
        "git": ADDRESS,
        "key": "k",
        "project": "tides",
        "runner": "python",
        "start_command": "exec python3 app.py",
        "port": "9000",
    }
    assert (await client.post(path, data=fields)).status_code == 303
    requested = gateway.log.at(gateway.log.length).event
    assert isinstance(requested, DeploymentRequested)
    config = requested.config
    assert (config.runner, config.start_command, config.port) == ("python", "exec python3 app.py", 9000)


async def test_private_repository_is_no_dead_end(
    client: httpx.AsyncClient, gateway: MemoryGateway, story: DashboardStory
) -> None:
    path, key = await inspected(client, gateway)
    await story.append(key, InspectionFailed(code="login-needed", reason="It needs a login."))
    page = (await client.get(path)).text
    assert "give the project a deploy key or a token on its settings page" in page


@pytest.mark.parametrize(
    "address", ["", "nonsense", "javascript:alert(1)", "https://user:secret@git.example/x", "/etc"]
)
async def test_what_is_no_address_is_explained(client: httpx.AsyncClient, gateway: MemoryGateway, address: str) -> None:
    answer = await client.post("/new", data={"git": address})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert gateway.log.length == 0


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("project", "Not A Name", "lower-case letters"),
        ("project", "windlass", "kept for Windlass"),
        ("port", "99999", "Port"),
        ("port", "x", "Port"),
        ("root", "../x", "Root"),
        ("env", "A=1\nno line\n", "Line 2"),
        ("env", "A='open\n", "cannot be read"),
        ("ref", "a..b", "branch or tag"),
        ("start_command", "\x07", "control characters"),
    ],
)
async def test_a_field_that_cannot_be_is_named_and_the_others_stay_as_they_were_filled_in(
    client: httpx.AsyncClient, gateway: MemoryGateway, field: str, value: str, said: str
) -> None:
    path, _ = await inspected(client, gateway)
    before = gateway.log.length
    fields = {"git": ADDRESS, "key": "k", "project": "tides", "build_command": "make all", field: value}
    answer = await client.post(path, data=fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="make all"' in answer.text
    assert re.search(rf'id="{field}"[^>]*aria-invalid|id="{field}-error"', answer.text), "beside the field"
    assert gateway.log.length == before


async def test_a_look_that_is_somebody_elses_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.get("/new/7c9e6679-7425-40de-944b-e07fc1f90ae7")
    assert answer.status_code == 404
    assert (await client.get("/new/nonsense")).status_code == 422
