"""Deliveries of GitHub over real HTTP: what is deployed, what is explained, and what strangers cannot do."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import httpx
import pytest

from support.github_scene import scene
from support.github_sender import HEAD, PATH, REPOSITORY, GitHub, Payload, deleted_branch, payload, push, pushed_tag
from support.http_server import served
from support.memory_gateway import DASHBOARD, MemoryGateway
from windlass_contracts.events.deployment import GitSource
from windlass_contracts.ids import TeamId

OTHER_COMMIT = "b" * 40


async def test_a_push_of_the_default_branch_is_deployed_to_production() -> None:
    async with scene() as here:
        answer = await here.github.deliver(push())
        view = await here.api("GET", f"/deployments/{answer.json()['projects'][0]['deployment']}")
    assert answer.status_code == 202
    assert answer.json()["sentence"] == "Deploying shop."
    (outcome,) = answer.json()["projects"]
    assert (outcome["project"], outcome["outcome"], outcome["environment"]) == ("shop", "deployed", "production")
    (event,) = here.requests()
    assert event.source == GitSource(repository=REPOSITORY, ref="main", commit=HEAD)
    assert (view["actor"], view["trigger"], view["commit"]) == ("webhook:github", "webhook", HEAD)


async def test_a_redelivery_is_answered_the_same_and_deployed_once() -> None:
    delivery = str(uuid4())
    async with scene() as here:
        first = await here.github.deliver(push(), delivery=delivery)
        again = [await here.github.deliver(push(), delivery=delivery) for _ in range(3)]
        at_once = await asyncio.gather(*(here.github.deliver(push(), delivery=delivery.upper()) for _ in range(4)))
    assert {(one.status_code, one.text) for one in (first, *again, *at_once)} == {(202, first.text)}
    assert len(here.requests()) == 1


async def test_a_push_does_not_wait_until_the_one_before_it_shows_in_the_rows() -> None:
    delivery = str(uuid4())
    async with scene() as here:
        here.gateway.rows.stay_at(here.gateway.log.length)
        first = await here.github.deliver(push(), delivery=delivery)
        second = await here.github.deliver(push())
        again = await here.github.deliver(push(), delivery=delivery)
        here.gateway.rows.stay_at(None)
    assert (first.status_code, second.status_code, again.text) == (202, 202, first.text)
    assert len(here.requests()) == 2


async def test_another_delivery_of_the_same_commit_is_another_deployment() -> None:
    async with scene() as here:
        answers = await asyncio.gather(*(here.github.deliver(push()) for _ in range(30)))
    assert {one.status_code for one in answers} == {202}
    assert len({one.json()["projects"][0]["deployment"] for one in answers}) == 30
    assert len(here.requests()) == 30


@pytest.mark.parametrize(
    "git",
    [
        "git@github.com:owner/shop.git",
        "ssh://git@github.com/Owner/Shop",
        "ssh://git@ssh.github.com:443/Owner/Shop.git",
        "https://github.com/OWNER/shop/",
        "https://github.com/Owner/Shop.git",
    ],
)
async def test_a_repository_is_found_by_each_of_its_addresses_whatever_their_case(git: str) -> None:
    async with scene(git=git) as here:
        assert (await here.github.deliver(push())).status_code == 202


async def test_every_project_of_a_repository_gets_the_push_and_each_says_what_it_did() -> None:
    async with scene("api", "site") as here:
        await here.api("PUT", "/projects/site/environments/production", {"branches": ["live"]})
        await here.api("PUT", "/projects/site/environments/preview", {"branches": ["main", "feature/**"]})
        answer = await here.github.deliver(push())
        feature = await here.github.deliver(push("feature/a/b"))
    outcomes = {one["project"]: one["environment"] for one in answer.json()["projects"]}
    assert outcomes == {"api": "production", "site": "preview"}
    api, site = feature.json()["projects"]
    assert feature.status_code == 202
    assert (api["outcome"], site["environment"]) == ("ignored", "preview")
    assert "windlass environments set api ENVIRONMENT feature/a/b" in api["why"]


async def test_the_projects_own_default_branch_goes_before_the_repositorys() -> None:
    async with scene() as here:
        await here.api("PATCH", "/projects/shop", {"default_branch": "trunk"})
        main = await here.github.deliver(push("main"))
        trunk = await here.github.deliver(push("trunk"))
    assert (main.status_code, trunk.status_code) == (200, 202)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (pushed_tag("v1.0"), "The tag v1.0"),
        (deleted_branch("main"), "main was deleted"),
        (push(ref="refs/notes/commits"), "no branch"),
        (push("other"), "No environment takes the branch other"),
        (push("x" * 300), "longer than 250"),
        (push("a..b"), "none that Git allows"),
        (push("<b>\u202e" + "x" * 20_000), None),
    ],
)
async def test_what_is_not_deployed_is_explained_and_nothing_is_appended(content: Payload, why: str | None) -> None:
    async with scene() as here:
        end = here.gateway.log.length
        answer = await here.github.deliver(content)
    if why is None:
        assert answer.status_code == 422
    else:
        assert answer.status_code == 200
        assert why in answer.text
    assert "\u202e" not in answer.text
    assert here.gateway.log.length == end


async def test_a_push_of_an_unknown_repository_is_explained() -> None:
    async with scene(git="https://github.com/owner/other") as here:
        end = here.gateway.log.length
        answer = await here.github.deliver(push())
        moved = await here.api("PATCH", "/projects/shop", {"repository": None})
        without = await here.github.deliver(push())
    assert (answer.status_code, "No project here" in answer.json()["sentence"]) == (200, True)
    assert (without.status_code, here.gateway.log.length) == (200, moved["sequence"])
    assert moved["sequence"] == end + 1


async def test_another_teams_project_is_not_deployed() -> None:
    async with scene() as here:
        other = MemoryGateway(here.gateway.log, team=TeamId(UUID(int=9)))
        async with served(other) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
            answer = await GitHub(client, other.webhook_keys.github_secret).deliver(push())
    assert (answer.status_code, here.requests()) == (200, [])


async def test_a_ping_is_answered_and_other_events_are_ignored_with_a_sentence() -> None:
    async with scene() as here:
        end = here.gateway.log.length
        ping = await here.github.deliver(payload("ping"), "ping")
        issues = await here.github.deliver({"action": "opened"}, "issues")
        nameless = await here.github.deliver(b"anything", "")
    assert {one.status_code for one in (ping, issues, nameless)} == {200}
    assert "set up" in ping.json()["sentence"]
    assert "issues" in issues.json()["sentence"]
    assert here.gateway.log.length == end


async def test_a_delivery_as_a_form_is_read_too() -> None:
    async with scene() as here:
        answer = await here.github.deliver(push(), form=True)
    assert answer.status_code == 202


async def test_a_push_with_three_thousand_commits_is_deployed() -> None:
    commits = [{**push()["head_commit"], "message": "x" * 2_000} for _ in range(3_000)]
    async with scene() as here:
        answer = await here.github.deliver(push(commits=commits))
    assert answer.status_code == 202
    assert len(here.requests()) == 1


async def test_a_body_over_githubs_cap_is_not_read_and_other_paths_keep_theirs() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(26):
            yield b"x" * 1024 * 1024

    gateway = MemoryGateway()
    async with gateway.client(None) as client:
        answers = [
            await client.post(f"{DASHBOARD}{PATH}", content=pieces()),
            await client.post(f"{DASHBOARD}{PATH}", content=b"x" * (25 * 1024 * 1024 + 1)),
            await client.post(f"{DASHBOARD}/api/webhooks/shop", content=b"x" * (1024 * 1024 + 1)),
            await client.post(f"{DASHBOARD}{PATH}/", content=b"x" * (1024 * 1024 + 1)),
        ]
    assert [one.status_code for one in answers] == [413] * 4
    assert gateway.types() == []


async def test_author_and_subject_are_kept_beside_the_log_under_ids() -> None:
    async with scene() as here:
        await here.github.deliver(push())
        await here.github.deliver(push(commit=OTHER_COMMIT))
        first, second = here.requests()
        assert first.author is not None
        assert first.note is not None
        names = await here.gateway.gateway.personal.names([first.author])
        texts = await here.gateway.gateway.personal.texts([first.note])
    assert (names, texts) == ({first.author: "Ada Example"}, {first.note: "Show prices with tax"})
    assert (first.author == second.author, first.note == second.note) == (True, False)
    log = b"".join(message.body for message in here.gateway.log._messages)
    for personal in (b"Ada", b"ada-example", b"ada@example.org", b"Show prices"):
        assert personal not in log


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("\u202eevil\u200f \x00\x1b[31m", "evil [31m"),
        ("x" * 10_000, "x" * 99 + "…"),
        ("\"quotes\" & 'others'", "\"quotes\" & 'others'"),
        ("\ud83d", None),
        ("", "ada-example"),
        (" \u200b ", None),
    ],
)
async def test_names_and_subjects_of_every_kind_are_bounded_and_harmless(name: str, shown: str | None) -> None:
    head = push()["head_commit"]
    commit = {**head, "author": {**head["author"], "name": name}, "message": f"\n\n{name}\nmore"}
    async with scene() as here:
        answer = await here.github.deliver(push(head_commit=commit))
        if "\ud83d" in name:
            assert answer.status_code in {202, 400}
            return
        assert answer.status_code == 202, answer.text
        (event,) = here.requests()
        names = await here.gateway.gateway.personal.names([event.author] if event.author else [])
    assert list(names.values()) == ([] if shown is None else [shown])


async def test_a_push_without_a_commit_is_deployed_without_an_author() -> None:
    async with scene() as here:
        answer = await here.github.deliver(push(head_commit=None))
    assert answer.status_code == 202
    assert (here.requests()[0].author, here.requests()[0].note) == (None, None)
