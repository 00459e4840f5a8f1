"""Node apps and plain pages are built and served on every runtime, as detection says."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from support.apps import request
from support.installations import read_example
from support.runtime_node import LIMITS, NODE_IMAGE, RUNNER_IMAGE, STATIC_IMAGE, DockerNode, Node
from windlass_builder.adapters.processes.runtime import ProcessRuntime
from windlass_builder.application.runtime_errors import RunnerImageMissingError
from windlass_builder.domain.detection import Listing, detect
from windlass_builder.domain.workloads import Runner
from windlass_contracts.config import DeploymentConfig

IMAGES = {"python": RUNNER_IMAGE, "node": NODE_IMAGE, "static": STATIC_IMAGE}
ROOMY = replace(LIMITS, memory=1024 * 2**20, pids=256)
PAGES = {
    "index.html": "<h1>first</h1>",
    "about.html": "<h1>about</h1>",
    "404.html": "<h1>not here</h1>",
    "sub/index.html": "<h1>below</h1>",
    "empty/notes.txt": "notes",
    "assets/app-a1B2c3D4.js": "let one = 1;\n" * 100,
    ".env": "SECRET=1",
    ".well-known/security.txt": "mail us",
}


async def deployed(node: Node, files: dict[str, str]) -> Runner:
    """Build and start what detection finds in the files."""
    recipe = detect(DeploymentConfig(), Listing(frozenset(files), files))
    assert recipe.start_command is not None
    node.image = IMAGES[recipe.runner]
    step = None if recipe.build_command is None else node.step(recipe.build_command, limits=ROOMY)
    release = await node.build(node.release_spec(step), files)
    return await node.runtime.start(node.runner_spec(release, recipe.start_command))


async def answer(runner: Runner, path: str = "/", method: str = "GET") -> tuple[int, dict[str, str], str]:
    """Return the status, the headers in lower case, and the body, once the app listens."""
    head, _, body = (await request(runner.address.host, runner.address.port, path, method)).partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(status.split()[1]), headers, body.decode()


async def test_node_app_answers_and_needs_no_build(node: Node) -> None:
    runner = await deployed(node, read_example("hello-node"))
    status, _, body = await answer(runner, "/api")
    assert (status, json.loads(body)["hello"]) == (200, "Node")


async def test_pages_are_served_with_their_types_and_without_what_is_hidden(node: Node) -> None:
    runner = await deployed(node, PAGES)
    answers = {
        path: await answer(runner, path) for path in ("/", "/about", "/sub/", "/sub", "/empty/", "/.env", "/none")
    }
    assert {path: status for path, (status, _, _) in answers.items()} == {
        "/": 200, "/about": 200, "/sub/": 200, "/sub": 301, "/empty/": 404, "/.env": 404, "/none": 404,
    }  # fmt: skip
    assert answers["/"][1]["content-type"] == "text/html; charset=utf-8"
    assert answers["/sub"][1]["location"] == "/sub/"
    assert "not here" in answers["/none"][2]
    assert "SECRET" not in answers["/.env"][2]
    assert (await answer(runner, "/.well-known/security.txt"))[0] == 200
    assert (await answer(runner, "/", "POST"))[0] in {405, 501}
    assert (await answer(runner, "/..%2f..%2f..%2fetc/passwd"))[0] in {400, 404}
    assert (await answer(runner, f"/{'long' * 100}"))[0] == 404


async def test_no_link_leads_to_what_is_hidden_or_out_of_the_pages(node: Node) -> None:
    links = "ln -sf .env open.txt && ln -sf /etc/passwd users.html && ln -sfn / all && ln -sfn .. above"
    runner = await deployed(node, {**PAGES, "Procfile": f"web: exec windlass-static $({links}; echo .)\n"})
    assert (await answer(runner))[0] == 200
    for path in ("/open.txt", "/users", "/users.html", "/all/etc/passwd", "/all/", "/above/", "/above/etc/passwd"):
        status, _, body = await answer(runner, path)
        assert (path, status, "not here" in body) == (path, 404, True)


async def test_pages_are_asked_for_again_and_what_bears_its_hash_is_not(node: Node) -> None:
    runner = await deployed(node, PAGES)
    assert (await answer(runner, "/"))[1]["cache-control"] == "no-cache"
    _, headers, _ = await answer(runner, "/assets/app-a1B2c3D4.js")
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["content-type"] == "text/javascript; charset=utf-8"


async def test_pages_that_find_their_way_themselves_are_served_for_every_address(node: Node) -> None:
    runner = await deployed(node, {**PAGES, "Procfile": "web: windlass-static --single none .\n"})
    status, _, body = await answer(runner, "/some/where")
    assert (status, body) == (200, PAGES["index.html"])


async def test_server_without_pages_says_so_and_ends(node: Node) -> None:
    began = node.now()
    runner = await deployed(node, {"Procfile": "web: windlass-static dist\n", "main.py": ""} | {"index.html": ""})
    assert (await node.exit_of(runner.name, began)).exit_code != 0


@pytest.mark.parametrize(
    "lock",
    [
        {},
        {"pnpm-lock.yaml": ""},
        {"yarn.lock": ""},
        {"yarn.lock": "__metadata:\n  version: 8\n"},
    ],
    ids=["npm", "pnpm", "yarn", "yarn 2"],
)
async def test_each_package_manager_installs_and_builds(docker_node: DockerNode, lock: dict[str, str]) -> None:
    manifest = {
        "name": "app",
        "scripts": {"build": "maker > made.txt", "start": "reader"},
        "dependencies": {"reader": "file:./reader"},
        "devDependencies": {"maker": "file:./maker", "ms": "2.1.3"},
    }
    reader = """#!/usr/bin/env node
const made = require("node:fs").readFileSync("made.txt", "utf8");
require("node:http").createServer((_, response) => response.end(made)).listen(process.env.PORT);
"""
    maker = '#!/usr/bin/env node\nconsole.log("one second is", require(process.cwd() + "/node_modules/ms")("1s"));\n'
    files = {
        "package.json": json.dumps(manifest),
        "reader/package.json": json.dumps({"name": "reader", "version": "1.0.0", "bin": "./cli.js"}),
        "reader/cli.js": reader,
        "maker/package.json": json.dumps({"name": "maker", "version": "1.0.0", "bin": "./cli.js"}),
        "maker/cli.js": maker,
    }
    recipe = detect(DeploymentConfig(), Listing(frozenset({*files, *lock}), {**files, **lock}))
    assert recipe.build_command is not None
    command = recipe.build_command.replace("--frozen-lockfile", "--no-frozen-lockfile", 1).replace(
        "yarn install --no-frozen-lockfile", "yarn install"
    )
    docker_node.image = NODE_IMAGE
    step = docker_node.step(command.replace("--immutable", "--no-immutable"), limits=ROOMY)
    release = await docker_node.build(docker_node.release_spec(step), files)
    runner = await docker_node.runtime.start(docker_node.runner_spec(release, recipe.start_command or ""))
    assert (await answer(runner))[2].strip() == "one second is 1000", docker_node.output.text


async def test_pages_that_a_build_makes_are_served_by_the_node_runner(docker_node: DockerNode) -> None:
    files = {
        "package.json": json.dumps({"scripts": {"build": "mkdir out && echo '<h1>made</h1>' > out/index.html"}}),
    }
    runner = await deployed(docker_node, files)
    assert "made" in (await answer(runner))[2]


async def test_machine_without_node_says_what_to_install(tmp_path: Path, installation_id: str) -> None:
    runtime = ProcessRuntime(installation_id, tmp_path, {NODE_IMAGE: None})
    with pytest.raises(RunnerImageMissingError, match="apt-get install nodejs"):
        await runtime._tools.interpreter(NODE_IMAGE)


POETRY_PROJECT = """
[tool.poetry]
name = "app"
version = "1.0.0"
description = ""
authors = []

[tool.poetry.dependencies]
python = ">=3.11"
"""
PREFIX_APP = """
import http.server, os, sys

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(sys.prefix.encode())

http.server.HTTPServer(("0.0.0.0", int(os.environ["PORT"])), Answer).serve_forever()
"""


async def test_poetry_makes_the_environment_that_the_app_runs_in(docker_node: DockerNode) -> None:
    runner = await deployed(docker_node, {"pyproject.toml": POETRY_PROJECT, "main.py": PREFIX_APP})
    assert (await answer(runner))[2] == "/app/.venv", docker_node.output.text
