"""The runtimes that the contract suite runs against, each with an installation of its own."""

from collections.abc import AsyncIterator
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from support.runtime_node import DockerNode, Node
from windlass_builder.adapters.docker.runtime import DockerRuntime

# Not the default pool: a test installation takes no subnet that a real one would take next.
POOL = IPv4Network("10.208.0.0/14")


@pytest.fixture(params=["docker"])
async def node(request: pytest.FixtureRequest, tmp_path: Path, installation_id: str) -> AsyncIterator[Node]:
    """Yield each runtime in turn; nothing of the test's installation is left afterwards."""
    connect = partial(DockerRuntime, installation_id, tmp_path / "home", POOL)
    node = DockerNode(installation_id, tmp_path, connect, connect())
    try:
        yield node
    finally:
        await node.runtime.purge()
        await node.runtime.close()
