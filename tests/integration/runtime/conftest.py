"""The runtimes that the contract suite runs against, each with an installation of its own."""

import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from functools import partial
from pathlib import Path

import pytest

from support.memory_runtime import MemoryRuntime
from support.runtime_node import NODE_IMAGE, POOL, RUNNER_IMAGE, STATIC_IMAGE, DockerNode, MemoryNode, Node, ProcessNode
from windlass.provisioning.engine import Engine
from windlass_builder.adapters.docker.runtime import DockerRuntime
from windlass_builder.adapters.processes.runtime import ProcessRuntime


@pytest.fixture
async def docker_node(
    docker_engine: Engine, runner_images: Mapping[str, str], tmp_path: Path, installation_id: str
) -> AsyncIterator[DockerNode]:
    """Yield an installation on the engine; nothing of it is left afterwards."""
    connect = partial(DockerRuntime, installation_id, tmp_path / "home", POOL, docker_engine.url)
    node = DockerNode(installation_id, tmp_path, connect, connect(), image=runner_images["python"])
    try:
        yield node
    finally:
        await node.runtime.purge()
        await node.runtime.close()


@pytest.fixture
async def process_node(tmp_path: Path, installation_id: str) -> AsyncIterator[ProcessNode]:
    """Yield an installation whose apps are processes; nothing of it is left afterwards."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node on this machine")
    python = Path(sys.executable)
    interpreters = {RUNNER_IMAGE: python, STATIC_IMAGE: python, NODE_IMAGE: Path(node)}
    connect = partial(ProcessRuntime, installation_id, tmp_path / "home", interpreters)
    own = ProcessNode(installation_id, tmp_path, connect, connect())
    try:
        yield own
    finally:
        await own.runtime.purge()


@pytest.fixture(params=[pytest.param("docker_node", marks=pytest.mark.docker, id="docker"), "process_node"])
def node(request: pytest.FixtureRequest) -> Node:
    """Return a node of each runtime in turn."""
    node: Node = request.getfixturevalue(request.param)
    return node


@pytest.fixture
def memory_node(tmp_path: Path, installation_id: str) -> MemoryNode:
    """Return an installation on the runtime of simulations."""
    runtime = MemoryRuntime()
    return MemoryNode(installation_id, tmp_path, lambda: runtime, runtime)


@pytest.fixture(
    params=[pytest.param("docker_node", marks=pytest.mark.docker, id="docker"), "process_node", "memory_node"]
)
def any_node(request: pytest.FixtureRequest) -> Node:
    """Return a node of each runtime in turn, the one in memory too."""
    node: Node = request.getfixturevalue(request.param)
    return node
