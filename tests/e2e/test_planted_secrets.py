"""Secrets that enter an installation anywhere are found nowhere but where they belong."""

import asyncio
import http.client
import json
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from support.git_server import Door, Repository, make_repository, smart_http
from support.installations import GitHost, read_example
from support.planted import (
    Planted,
    own_secrets,
    private_files,
    search_containers,
    search_databases,
    search_files,
    search_image,
    search_streams,
)
from support.platform import Platform
from support.story import Story
from windlass.provisioning.runner_images import PYTHON

SHOUT = """
import base64, json, os, sys, urllib.parse
for name, value in os.environ.items():
    if name.startswith("PLANTED_"):
        print("plain", value, "quoted", urllib.parse.quote(value, ""), "json", json.dumps(value))
        print("base64", base64.b64encode(value.encode()).decode())
        print("header", base64.b64encode(f"user:{value}".encode()).decode(), file=sys.stderr)
sys.stdout.flush()
"""
CRASH = """
import os
exec(open("shout.py").read())
def main():
    environment = dict(os.environ)
    raise RuntimeError(environment)
main()
"""
NAMES = ("PLANTED_BY_DEPLOY", "PLANTED_BY_PASTE", "PLANTED_BY_PUT")


def made_up(name: str) -> str:
    """Return a secret that looks different in every encoding."""
    return f"{name.lower()}/+{secrets.token_hex(12)}=&ü"


def plant_variables(planted: Planted, story: Story, url: str) -> None:
    """Let values enter in each way that there is, some of them in requests that are refused."""
    platform, path = story.platform, f"/projects/{story.project}/variables"
    deploy, paste, put = (planted.plant(name, made_up(name)) for name in NAMES)
    body = {"git": url, "ref": "main", "project": story.project, "variables": {NAMES[0]: deploy}}
    status, answer = platform.api("POST", "/deployments", body)
    assert status == HTTPStatus.ACCEPTED, answer
    story.ended(answer["deployment"])
    assert platform.api("PUT", path, {"env_file": f"{NAMES[1]}='{paste}'"})[0] == HTTPStatus.OK
    assert platform.api("PUT", f"{path}/{NAMES[2]}", {"value": put})[0] == HTTPStatus.OK


def plant_in_refusals(planted: Planted, story: Story, git: str) -> None:
    """Send secrets where they do not belong: each answer refuses, and does not repeat them."""
    platform, path = story.platform, f"/projects/{story.project}/variables"
    password = planted.plant("password in an address", secrets.token_hex(16))
    address = git.replace("http://", f"http://user:{password}@")
    nul = planted.plant("value with NUL", secrets.token_hex(16))
    misplaced = planted.plant("value in a wrong field", secrets.token_hex(16))
    mistyped = planted.plant("mistyped token", f"wl_{secrets.token_hex(16)}")
    line = planted.plant("unreadable line", secrets.token_hex(16))
    answers = [
        platform.api("POST", "/deployments", {"git": address, "ref": "main", "project": story.project}),
        platform.api("POST", "/inspections", {"git": address}),
        platform.api("PATCH", f"/projects/{story.project}", {"repository": address}),
        platform.api("PUT", f"{path}/PLANTED_NUL", {"value": f"{nul}\x00"}),
        platform.api("PUT", f"{path}/PLANTED_WRONG", {"value": "x", "environment": misplaced, "valeu": misplaced}),
        platform.api("PUT", path, {"env_file": f"NO LINE OF A FILE {line}"}),
        platform.api("GET", "/projects", headers={"Authorization": f"Bearer {mistyped}"}),
    ]
    assert [status for status, _ in answers if status < HTTPStatus.BAD_REQUEST] == []
    for number, (_, answer) in enumerate(answers):
        said = json.dumps(answer, ensure_ascii=False)
        told = {name for name, secret in planted.secrets.items() if secret in said}
        assert not told, f"answer {number} repeats {told}"


def plant_access(planted: Planted, story: Story) -> None:
    """Make what proves who somebody is: a token, a link, a session, the secrets of webhooks."""
    platform = story.platform
    _, made = platform.api("POST", "/tokens", {"name": story.project, "permissions": ["read"]})
    planted.plant("API token", made["token"])
    _, link = platform.api("POST", "/sign-in-links")
    token = planted.plant("sign-in link", urlsplit(link["url"]).query.removeprefix("token=").partition("&")[0])
    planted.plant("session cookie", session(platform, token))
    _, webhooks = platform.api("GET", f"/projects/{story.project}/webhooks")
    for name, value in _texts(webhooks):
        if "secret" in name:
            planted.plant(f"webhook {name}", value.removeprefix("whsec_"))


def session(platform: Platform, token: str) -> str:
    """Sign in as a browser does, and return the value of its cookie."""
    connection = http.client.HTTPConnection("127.0.0.1", platform.port, timeout=60)
    host = f"windlass.localhost:{platform.port}"
    headers = {"Host": host, "Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://{host}"}
    connection.request("POST", "/sign-in", f"token={quote(token, '')}", headers)
    answer = connection.getresponse()
    cookie = answer.getheader("Set-Cookie")
    connection.close()
    assert cookie, answer.status
    return cookie.partition("=")[2].partition(";")[0]


def _texts(document: object, name: str = "") -> list[tuple[str, str]]:
    if isinstance(document, Mapping):
        return [found for key, value in document.items() for found in _texts(value, f"{name} {key}")]
    if isinstance(document, list):
        return [found for value in document for found in _texts(value, name)]
    return [(name, document)] if isinstance(document, str) else []


def deploy_each_way(story: Story, repository: Repository, url: str) -> list[str]:
    """Deploy what works, what fails in its build, and what crashes, each telling all that it knows."""
    repository.commit({"shout.py": SHOUT, "crash.py": CRASH})
    build = "env; python shout.py"
    ways = (
        ("live", build, "python shout.py; exec python server.py"),
        ("failed", f"{build}; exit 3", "python server.py"),
        ("failed", build, "python crash.py"),
    )
    ended = [(phase, story.deploy(url, build_command=builds, start_command=starts)) for phase, builds, starts in ways]
    assert [(phase, one["phase"]) for phase, one in ended] == [(phase, phase) for phase, _, _ in ways]
    return [str(one["id"]) for _, one in ended]


def deploy_from_a_private_repository(planted: Planted, story: Story, git: str, door: Door) -> str:
    """Deploy with a token and a registry's password, from what looks for both wherever a build can look."""
    door.user, door.password = "robot", planted.plant("source: token", secrets.token_hex(16))
    registry = planted.plant("source: password of a registry", secrets.token_hex(16))
    url, path = f"{git}/private/app", f"/projects/{story.project}/credentials"
    assert story.deploy(url)["failure"]["code"] == "login-needed"
    for body in (
        {"kind": "https", "host": git.removeprefix("http://"), "user": door.user, "password": door.password},
        {"kind": "registry", "host": "registry.example", "user": "robot", "password": registry},
    ):
        status, answer = story.platform.api("POST", path, body)
        assert status == HTTPStatus.OK, answer
    ended = story.deploy(url)
    assert ended["phase"] == "live", ended["failure"]
    return str(ended["id"])


def private_repository(folder: Path, runtime: str) -> None:
    """Make one whose build tells all that it can see; by its own Dockerfile where an engine builds that."""
    look = "env; cat /proc/*/environ /proc/*/cmdline; grep -rs . /app /tmp /run /root || true"
    files = {"server.py": read_example("hello-python")["server.py"]}
    if runtime == "docker":
        run = 'CMD ["python3", "/app/server.py"]'
        files["Dockerfile"] = f"FROM {PYTHON.tag}\nCOPY server.py /app/\nRUN {look}\n{run}\n"
    make_repository(folder / "private" / "app", files)


def rotate_keys(planted: Planted, platform: Platform) -> None:
    """Rotate the keys while everything runs: the builder and the logs service learn of it by the values alone."""
    [old] = (platform.home / "secrets.keys").read_text().split()
    planted.plant("retired key", old)
    said = platform.windlass("keys", "rotate", "--json")
    assert said.returncode == 0, said.stderr
    last = json.loads(said.stdout)
    assert (last["done"], last["left"], last["retired"], last["unreadable"]) == (True, 0, 1, [])
    assert last["encrypted"] >= len(NAMES)
    [new] = (platform.home / "secrets.keys").read_text().split()
    assert new != old


def shred(story: Story, url: str, deployment: str) -> None:
    """Shred a value: what was deployed with it cannot be gone back to, and says so by name."""
    said = story.platform.windlass("env", "shred", story.project, NAMES[2], "--yes", "--json")
    assert (said.returncode, json.loads(said.stdout)["values"]) == (0, 1), said.stderr
    ended = story.deploy(url, build_command="true", start_command="python server.py")
    assert (ended["phase"], NAMES[2] in ended["variables"]) == ("live", False)
    status, answer = story.platform.api("POST", f"/projects/{story.project}/rollback", {"to": deployment})
    assert (status, NAMES[2] in answer["detail"]) == (HTTPStatus.CONFLICT, True), answer


@pytest.fixture
def planted() -> Planted:
    return Planted()


@pytest.mark.timeout(300)  # four deployments, and a search of all that they left
def test_planted_secrets_are_found_nowhere(
    story: Story, git_host: GitHost, planted: Planted, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    platform = story.platform
    repository, url = git_host.repository("hello-python")
    with planted.watching_processes():
        plant_variables(planted, story, url)
        plant_in_refusals(planted, story, url)
        plant_access(planted, story)
        rotate_keys(planted, platform)
        deployments = deploy_each_way(story, repository, url)
        private_repository(tmp_path / "private", platform.runtime)
        door = Door()
        with smart_http(tmp_path / "private", door) as git:
            host = git.replace("127.0.0.1", "localhost")
            private = Story(platform, f"{story.project}-private")
            from_private = deploy_from_a_private_repository(planted, private, host, door)
        own = own_secrets(platform.home)
        for name, secret in own.items():
            planted.plant(name, secret)
    for deployment in deployments:
        lines = story.lines_until(deployment, "plain ***")
        planted.search("log", deployment, "\n".join(lines).encode())
        for path in (f"/deployments/{deployment}", f"/deployments/{deployment}/explanation"):
            planted.search("answer", path, json.dumps(platform.api("GET", path)[1], ensure_ascii=False).encode())
    planted.search("events", "as answered", platform.windlass("events", "--json").stdout.encode())
    asyncio.run(search_streams(planted, platform.home, tmp_path / "copy"))
    asyncio.run(search_databases(planted, platform.home, platform.installation))
    search_files(planted, platform.home)
    if platform.runtime == "docker":
        engine, base = request.getfixturevalue("docker_engine"), request.getfixturevalue("runner_images")["python"]
        _, built = platform.api("GET", f"/deployments/{deployments[0]}")
        asyncio.run(search_image(planted, engine.url, built["release"], base, tmp_path / "image.tar"))
        _, built = platform.api("GET", f"/deployments/{from_private}")
        asyncio.run(search_image(planted, engine.url, built["release"], base, tmp_path / "private.tar"))
        # Apps are given their variables; what opens their sources is nothing of theirs.
        sources = {name: secret for name, secret in planted.secrets.items() if name.startswith("source: ")}
        of_sources = Planted(sources)
        asyncio.run(search_containers(of_sources, engine.url, platform.installation))
        assert of_sources.searched["container"]
        planted.found |= of_sources.found
    assert {path.name: mode for path, mode in private_files(platform.home).items() if mode} == {}
    assert {"command line", "message", "header", "row", "file", "log"} <= planted.searched.keys()
    assert sorted(planted.found) == []
    shred(story, url, deployments[0])
