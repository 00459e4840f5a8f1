"""Variables and settings of a project, changed from their pages."""

import re

import httpx
import pytest

from support.memory_gateway import MemoryGateway
from windlass_contracts.config import Liveness, RestoreIn, WatchWindow
from windlass_contracts.events import EnvironmentCreated, ProjectConfigured, VariableRemoved

pytestmark = pytest.mark.usefixtures("told")


async def test_a_paste_is_shown_by_its_names_before_it_is_set(
    client: httpx.AsyncClient, gateway: MemoryGateway
) -> None:
    before = gateway.log.length
    fields = {"env": "DATABASE_URL=new\nEXTRA=hunter2\n", "environment": "production"}
    seen = (await client.post("/projects/shop/variables", data=fields)).text
    assert re.search(r"Added</dt><dd[^>]*>EXTRA<", seen)
    assert re.search(r"Replaced</dt><dd[^>]*>DATABASE_URL<", seen)
    assert gateway.log.length == before
    answer = await client.post("/projects/shop/variables", data={**fields, "sure": "yes"})
    assert answer.status_code == 303
    assert gateway.types()[-2:] == ["variable.set.v1", "variable.set.v1"]
    page = (await client.get(answer.headers["location"])).text
    assert "EXTRA" in page
    assert "hunter2" not in page


@pytest.mark.parametrize("paste", ["A=1\nnonsense\n", 'A="open', "1A=x", "A=\x00", " " * 300])
async def test_a_paste_that_cannot_be_read_says_which_line_and_sets_nothing(
    client: httpx.AsyncClient, gateway: MemoryGateway, paste: str
) -> None:
    before = gateway.log.length
    answer = await client.post("/projects/shop/variables", data={"env": paste, "sure": "yes"})
    assert "ine " in answer.text
    assert 'name="sure"' not in answer.text
    assert gateway.log.length == before


async def test_what_is_being_pasted_is_previewed_by_name(client: httpx.AsyncClient) -> None:
    preview = (await client.post("/env-preview", data={"env": "TOKEN=hunter2\nTOKEN=again\n<b>=1"})).text
    assert "TOKEN" in preview
    assert "hunter2" not in preview
    assert "<b>" not in preview
    assert "Line 3" in preview


async def test_a_variable_is_removed_where_it_is_set(client: httpx.AsyncClient, gateway: MemoryGateway) -> None:
    place = {"name": "STRIPE_KEY", "environment": "production"}
    answer = await client.post("/projects/shop/variables/remove", data=place)
    assert answer.status_code == 303
    assert isinstance(gateway.log.at(gateway.log.length).event, VariableRemoved)
    again = await client.post("/projects/shop/variables/remove", data=place)
    assert again.status_code == 404


async def test_settings_that_were_saved_are_those_of_the_next_deployment(
    client: httpx.AsyncClient, gateway: MemoryGateway
) -> None:
    fields = {
        "repository": "git@git.example.com:harbour/shop.git",
        "default_branch": "trunk",
        "runner": "node",
        "start_command": "node server.js",
        "port": "3000",
        "replicas": "3",
        "keep_releases": "25",
        "memory_mib": "1024",
        "scratch_mib": "512",
        "probe": "/up",
        "rollout": "5:90s,25:1h",
        "liveness_every_s": "10",
        "watch_restore_in": "everywhere",
        "watch_window_s": "600",
    }
    answer = await client.post("/projects/shop/settings", data=fields)
    assert answer.status_code == 303, answer.text
    saved = gateway.log.at(gateway.log.length).event
    assert isinstance(saved, ProjectConfigured)
    assert saved.default_branch == "trunk"
    assert saved.config.replicas == 3
    assert saved.config.keep_releases == 25
    assert saved.config.scratch_bytes == 512 * 1024 * 1024
    assert saved.config.limits.memory_bytes == 1024 * 1024 * 1024
    assert saved.config.probe.kind == "http"
    assert saved.config.rollout is not None
    assert [(step.weight, step.for_s) for step in saved.config.rollout.steps] == [(5, 90), (25, 3_600)]
    assert saved.config.liveness == Liveness(every_s=10)
    assert saved.config.watch == WatchWindow(restore_in=RestoreIn.EVERYWHERE, window_s=600)
    page = (await client.get(answer.headers["location"])).text
    assert 'value="node server.js"' in page
    assert 'value="5:90s,25:1h"' in page
    emptied = await client.post("/projects/shop/settings", data={**fields, "start_command": ""})
    assert emptied.status_code == 303
    cleared = gateway.log.at(gateway.log.length).event
    assert isinstance(cleared, ProjectConfigured)
    assert cleared.config.start_command is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("port", "0"),
        ("replicas", "many"),
        ("keep_releases", "0"),
        ("keep_releases", "1001"),
        ("memory_mib", "1"),
        ("scratch_mib", "15"),
        ("probe", "up"),
        ("rollout", "0:10m"),
        ("rollout", "1000:10m"),
        ("rollout", "25:10m,5:10m"),
        ("rollout", "soon"),
        ("probe", "command:"),
        ("probe", "command: a\x00b"),
        ("default_branch", "a b"),
        ("liveness_every_s", "0"),
        ("liveness_failures", "101"),
        ("liveness_successes", "x"),
        ("watch_restore_in", "here"),
        ("watch_window_s", "9"),
        ("watch_errors_percent", "101"),
    ],
)
async def test_a_setting_that_cannot_be_is_named_beside_its_field(
    client: httpx.AsyncClient, gateway: MemoryGateway, field: str, value: str
) -> None:
    before = gateway.log.length
    answer = await client.post("/projects/shop/settings", data={field: value})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert gateway.log.length == before


async def test_branches_are_given_to_environments_old_and_new(
    client: httpx.AsyncClient, gateway: MemoryGateway
) -> None:
    made = await client.post(
        "/projects/shop/settings/branches", data={"environment": "preview", "branches": "feature/*, fix/**"}
    )
    assert made.status_code == 303
    created = gateway.log.at(gateway.log.length).event
    assert isinstance(created, EnvironmentCreated)
    assert created.branches == ("feature/*", "fix/**")
    taken = await client.post(
        "/projects/shop/settings/branches", data={"environment": "staging", "branches": "feature/*"}
    )
    assert taken.status_code == 409
    wrong = await client.post("/projects/shop/settings/branches", data={"environment": "No Name", "branches": ""})
    assert wrong.status_code == 422


async def test_paths_that_deploy_are_saved_a_line_each_and_a_bad_one_is_named(
    client: httpx.AsyncClient, gateway: MemoryGateway
) -> None:
    answer = await client.post(
        "/projects/shop/settings", data={"include": "services/api/**\r\n\r\n*.toml ", "exclude": "*.md"}
    )
    assert answer.status_code == 303, answer.text
    saved = gateway.log.at(gateway.log.length).event
    assert isinstance(saved, ProjectConfigured)
    assert (saved.config.include, saved.config.exclude) == (("services/api/**", "*.toml"), ("*.md",))
    page = (await client.get(answer.headers["location"])).text
    assert "services/api/**\n*.toml</textarea>" in page
    for bad in ("/absolute", "!not", "a/../b", "a\\b", "*a*b*c*d*", "x" * 600, "\n".join(f"a{n}" for n in range(101))):
        refused = await client.post("/projects/shop/settings", data={"include": bad})
        assert refused.status_code == 422, bad
        assert 'id="include-error"' in refused.text


async def test_volumes_are_saved_a_line_each_and_a_bad_one_is_named(
    client: httpx.AsyncClient, gateway: MemoryGateway
) -> None:
    written = "uploads  /app/uploads\r\n\r\ndb /data"
    answer = await client.post("/projects/shop/settings", data={"volumes": written})
    assert answer.status_code == 303, answer.text
    saved = gateway.log.at(gateway.log.length).event
    assert isinstance(saved, ProjectConfigured)
    assert [(one.name, one.path) for one in saved.config.volumes] == [("uploads", "/app/uploads"), ("db", "/data")]
    page = (await client.get(answer.headers["location"])).text
    assert "uploads /app/uploads\ndb /data</textarea>" in page
    bad = (
        "Uploads /data",
        "data",
        "data data",
        "data /etc/x",
        "data /app",
        "data /a/../b",
        "data /windlass/x",
        "a /x y",
    )
    for one in (*bad, "a /data\nb /data", "a /data\na /more", "\n".join(f"a{n} /a{n}" for n in range(21))):
        refused = await client.post("/projects/shop/settings", data={"volumes": one})
        assert refused.status_code == 422, one
        assert 'id="volumes-error"' in refused.text, one
