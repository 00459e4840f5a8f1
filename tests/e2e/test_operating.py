"""An installation operated from a terminal: verified, rebuilt, and led past an event that nobody can read."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import nats
import pytest

from support.installations import GitHost
from support.platform import Platform
from support.ports import free_port
from support.story import Story

SERVICES = ("gateway", "builder", "monitor", "router", "logs")


@pytest.fixture(scope="module", params=["process"])
def alone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Yield an installation that nobody else uses: what is appended here spoils its log for ever."""
    home = tmp_path_factory.mktemp("operated") / "home"
    with Platform(home, free_port(), request.param, {"WINDLASS_LOOPBACK_REPOSITORIES": "true"}) as running:
        yield running


def verified(platform: Platform) -> tuple[int, dict[str, Any]]:
    said = platform.windlass("verify", "--json")
    return said.returncode, json.loads(said.stdout)


def findings(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return what was found; of a service that could not tell, why not."""
    return [
        (one["service"], finding["code"], finding["where"])
        for one in document["services"]
        for finding in one.get("findings", [{"code": "not-verified", "where": one.get("reason", "")}])
    ]


async def append_unknown(platform: Platform) -> int:
    """Append, as the gateway, what only a later release knows."""
    seed = platform.up.nats_seed("gateway")
    client = await nats.connect(platform.up.nats_url, nkeys_seed=seed, inbox_prefix=b"_INBOX_gateway")
    try:
        subject = f"evt.gateway.{uuid4()}.{uuid4()}.deployment.{uuid4()}"
        headers = {"Nats-Msg-Id": str(uuid4()), "Windlass-Type": "deployment.teleported.v1"}
        return int((await client.jetstream().publish(subject, b"{}", headers=headers)).seq)
    finally:
        await client.close()


def test_routes_that_somebody_changes_or_deletes_are_put_right(alone: Platform, git_host: GitHost) -> None:
    story = Story(alone, "other")
    _, url = git_host.repository("hello-python")
    deployment = story.deploy(url)
    assert deployment["phase"] == "live"
    routes = next(alone.home.rglob("000-routes.yml"))
    tampered = routes.read_bytes().replace(b"other", b"ether")
    routes.write_bytes(tampered)
    until_right(routes, b"other")
    for file in routes.parent.iterdir():
        file.unlink(missing_ok=True)
    until_right(routes, b"other")
    story.until_it_answers()  # the proxy may have read what somebody wrote, and reads this one next
    assert findings(verified(alone)[1]) == []


def until_right(routes: Path, word: bytes) -> None:
    """Wait for the file; it is written anew whenever it is not as it should be."""
    while not routes.exists() or word not in routes.read_bytes():
        time.sleep(0.01)


def test_an_installation_is_operated_from_a_terminal(alone: Platform, git_host: GitHost) -> None:
    story = Story(alone, "shop")
    _, url = git_host.repository("hello-python")
    assert story.deploy(url)["phase"] == "live"
    code, document = verified(alone)
    assert (code, findings(document)) == (0, []), document
    collected = [alone.windlass("gc", "--dry-run"), alone.windlass("gc")]
    assert [one.returncode for one in collected] == [0, 0], collected
    assert [one.stdout.splitlines()[-1] for one in collected] == ["Nothing would go.", "Nothing went."]
    rebuilt = alone.windlass("rebuild", "--all")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert [line.partition(":")[0] for line in rebuilt.stdout.splitlines() if "in place" in line] == list(SERVICES)

    sequence = asyncio.run(append_unknown(alone))
    for service in SERVICES:
        alone.kill_service(service)
    code, document = verified(alone)
    where = f"sequence {sequence}"
    assert (code, findings(document)) == (1, [(service, "halted", where) for service in SERVICES])
    status, problem = alone.api("GET", "/projects")
    assert status == 503
    assert f"sequence {sequence} of EVENTS" in problem["detail"]
    assert problem["next"].endswith(f"`windlass quarantine gateway {sequence} --reason TEXT`.")
    assert story.answer()[0] == 200  # visitors notice nothing of it

    for service in SERVICES:
        status, entry = alone.api(
            "POST", "/quarantine", {"service": service, "sequence": sequence, "reason": "A test."}
        )
        assert status == 201, entry
    assert story.deploy(url)["phase"] == "live"
    code, document = verified(alone)
    assert (code, findings(document)) == (0, []), document
