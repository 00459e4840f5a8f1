"""What hostile code finds from inside: of an app, of a build, and of a step of a Dockerfile."""

import json
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import IPv4Network
from typing import Any

import pytest

from support.apps import request, source
from support.runtime_node import DockerNode, docker
from support.walls import DOCKER_PORT, METADATA, METADATA_PORT, PROGRAM, bait
from windlass.provisioning.buildx import find_buildx
from windlass.provisioning.firewall import ensure_firewall, pool_of_projects
from windlass.provisioning.progress import Silence
from windlass_builder.domain.names import network_name
from windlass_builder.domain.workloads import DockerfileSpec

pytestmark = pytest.mark.docker
Found = dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def _walls() -> Iterator[None]:
    ensure_firewall(pool_of_projects(), Silence())
    with bait():
        yield


@pytest.fixture
async def neighbour(docker_node: DockerNode) -> str:
    """Return where another project's app answers."""
    runner = await docker_node.runtime.start(await docker_node.app())
    await request(runner.address.host, runner.address.port)
    docker_node.another_project()
    return str(runner.address)


async def gateway_of(network: str) -> str:
    subnet = await docker("network", "inspect", "--format", "{{(index .IPAM.Config 0).Subnet}}", network)
    return str(IPv4Network(subnet.strip())[1])


def targets(neighbour: str, gateway: str) -> str:
    """Return few: the kernel refuses one container loudly six times at once, and silently from then on."""
    bait = (f"{METADATA}:{METADATA_PORT}", f"{gateway}:{DOCKER_PORT}")
    return " ".join([neighbour, *bait, "169.254.169.254:80", "100.100.100.200:80"])


def found_in(text: str) -> Found:
    [line] = [line for line in text.splitlines() if "FOUND {" in line]
    found: Found = json.loads(line.partition("FOUND ")[2])
    return found


def assert_reached_nothing(found: Found, neighbour: str) -> None:
    reached = found["reached"]
    assert reached.pop(neighbour) == "ETIMEDOUT"
    assert set(reached.values()) == {"EHOSTUNREACH"}, reached  # the firewall's answer; others would be silent
    assert found["routes_6"] == []
    assert not found["docker_socket"]


def assert_has_no_rights(found: Found) -> None:
    assert found["uid"] == 10_001
    assert set(found["capabilities"]) == {"0" * 16}
    assert (found["no_new_privileges"], found["seccomp"]) == ("1", "2")
    refused = ("become_root", "mount", "new_namespace", "write_sys", "write_proc", "write_cgroup")
    assert {found[what] for what in refused} <= {"EPERM", "EACCES", "EROFS"}, found
    assert (found["devices"], found["secrets_of_the_kernel"]) == ([], [])


async def test_the_bait_is_reached_where_no_rule_is(docker_node: DockerNode) -> None:
    network = f"windlass-{docker_node.installation}-foreign"
    label = f"dev.windlass.installation={docker_node.installation}"
    await docker("network", "create", "--label", label, "--subnet", "10.130.77.0/24", network)
    try:
        tried = [f"{METADATA}:{METADATA_PORT}", f"10.130.77.1:{DOCKER_PORT}"]
        said = await docker("run", "--rm", "--network", network, docker_node.image, "python3", "-c", PROGRAM, *tried)
    finally:
        await docker("network", "rm", network)
    assert set(found_in(said)["reached"].values()) == {"open"}


async def test_an_app_has_no_rights_and_reaches_neither_others_nor_the_machine(
    docker_node: DockerNode, neighbour: str
) -> None:
    await docker_node.runtime.prepare(docker_node.project)
    gateway = await gateway_of(network_name(docker_node.installation, docker_node.project))
    spec = await docker_node.app(f"python3 walls.py {targets(neighbour, gateway)}", {"walls.py": PROGRAM})
    await docker_node.runtime.start(spec)
    await docker_node.runtime.attend(spec.name, docker_node.output)
    found = found_in(docker_node.output.text)
    assert_reached_nothing(found, neighbour)
    assert_has_no_rights(found)
    assert set(found["others"]) <= {"docker-init", "sh"}


async def test_a_build_has_no_rights_and_reaches_neither_others_nor_the_machine(
    docker_node: DockerNode, neighbour: str
) -> None:
    await docker_node.runtime.prepare(docker_node.project)
    gateway = await gateway_of(network_name(docker_node.installation, docker_node.project))
    step = docker_node.step(f"python3 walls.py {targets(neighbour, gateway)}")
    await docker_node.build(docker_node.release_spec(step), {"walls.py": PROGRAM})
    found = found_in(docker_node.output.text)
    assert_reached_nothing(found, neighbour)
    assert_has_no_rights(found)
    assert set(found["others"]) <= {"docker-init", "sleep", "sh"}


@pytest.mark.skipif(find_buildx() is None, reason="buildx is not installed")
async def test_a_step_of_a_dockerfile_reaches_neither_others_nor_the_machine(
    docker_node: DockerNode, neighbour: str
) -> None:
    tried = targets(neighbour, await gateway_of("bridge"))
    dockerfile = f"FROM {docker_node.image}\nCOPY walls.py /walls.py\nUSER root\nRUN python3 /walls.py {tried}\n"
    archive = source(docker_node.folder, {"Dockerfile": dockerfile, "walls.py": PROGRAM})
    wanted = DockerfileSpec(project=docker_node.project, revision="a" * 40, disk=2**30, timeout=timedelta(seconds=60))
    await docker_node.runtime.build_image(wanted, archive, docker_node.output)
    found = found_in(docker_node.output.text)
    assert_reached_nothing(found, neighbour)
    refused = ("mount", "new_namespace", "write_sys", "write_proc", "write_cgroup")
    assert {found[what] for what in refused} <= {"EPERM", "EACCES", "EROFS"}, found  # root there, but of nothing
    assert (found["devices"], found["secrets_of_the_kernel"]) == ([], [])
    assert set(found["others"]) <= {"sh"}
