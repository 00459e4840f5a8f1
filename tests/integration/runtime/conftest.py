"""The runtimes that the contract suite runs against, each with an installation of its own."""

import sys
from collections.abc import AsyncIterator
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from support.runtime_node import RUNNER_IMAGE, DockerNode, Node, ProcessNode
from windlass_builder.adapters.docker.runtime import DockerRuntime
from windlass_builder.adapters.processes.runtime import ProcessRuntime

# Not the default pool: a test installation takes no subnet that a real one would take next.
POOL = IPv4Network("10.208.0.0/14")


def docker_node(installation: str, folder: Path) -> Node:
    connect = partial(DockerRuntime, installation, folder / "home", POOL)
    return DockerNode(installation, folder, connect, connect())


def process_node(installation: str, folder: Path) -> Node:
    connect = partial(ProcessRuntime, installation, folder / "home", {RUNNER_IMAGE: Path(sys.executable)})
    return ProcessNode(installation, folder, connect, connect())


@pytest.fixture(params=[docker_node, process_node], ids=["docker", "process"])
async def node(request: pytest.FixtureRequest, tmp_path: Path, installation_id: str) -> AsyncIterator[Node]:
    """Yield each runtime in turn; nothing of the test's installation is left afterwards."""
    node: Node = request.param(installation_id, tmp_path)
    try:
        yield node
    finally:
        await node.runtime.purge()
        await node.runtime.close()
