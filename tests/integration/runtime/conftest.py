"""The runtimes that the contract suite runs against, each with an installation of its own."""

import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from support.runtime_node import POOL, RUNNER_IMAGE, DockerNode, Node, ProcessNode
from windlass.provisioning.engine import Engine
from windlass_builder.adapters.docker.runtime import DockerRuntime
from windlass_builder.adapters.processes.runtime import ProcessRuntime


@pytest.fixture
async def docker_node(
    docker_engine: Engine, runner_image: str, tmp_path: Path, installation_id: str
) -> AsyncIterator[DockerNode]:
    """Yield an installation on the engine; nothing of it is left afterwards."""
    connect = partial(DockerRuntime, installation_id, tmp_path / "home", POOL, docker_engine.url)
    node = DockerNode(installation_id, tmp_path, connect, connect(), image=runner_image)
    try:
        yield node
    finally:
        await node.runtime.purge()
        await node.runtime.close()


@pytest.fixture
async def process_node(tmp_path: Path, installation_id: str) -> AsyncIterator[ProcessNode]:
    """Yield an installation whose apps are processes; nothing of it is left afterwards."""
    connect = partial(ProcessRuntime, installation_id, tmp_path / "home", {RUNNER_IMAGE: Path(sys.executable)})
    node = ProcessNode(installation_id, tmp_path, connect, connect())
    try:
        yield node
    finally:
        await node.runtime.purge()


@pytest.fixture(params=[pytest.param("docker_node", marks=pytest.mark.docker, id="docker"), "process_node"])
def node(request: pytest.FixtureRequest) -> Node:
    """Return a node of each runtime in turn."""
    node: Node = request.getfixturevalue(request.param)
    return node
