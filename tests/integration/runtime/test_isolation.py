"""What hostile code finds from inside: of an app, of a build, and of a step of a Dockerfile."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from support.apps import request, source
from support.runtime_node import DockerNode, docker
from support.walls import DOCKER_PORT, METADATA, METADATA_PORT, PROGRAM, bait
from windlass.provisioning.buildx import find_buildx
from windlass.provisioning.firewall import ensure_firewall, pool_of_projects
from windlass.provisioning.progress import Silence
from windlass_builder.adapters.docker.build_group import BuildShare
from windlass_builder.application.runtime_errors import BuildOutOfDiskError
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


def dockerfile_spec(node: DockerNode) -> DockerfileSpec:
    return DockerfileSpec(project=node.project, revision="a" * 40, disk=2**30, timeout=timedelta(seconds=180))


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


def assert_gives_way(said: str) -> None:
    """See the group that all steps of Dockerfiles are in, in both versions of control groups."""
    assert "/docker/buildkit/" in said
    roots = ("/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/cpu")
    files = ("memory.max", "memory.limit_in_bytes", "cpu.weight", "cpu.shares")
    paths = (Path(root, "docker/buildkit", name) for root in roots for name in files)
    share, memory = sorted(int(path.read_text()) for path in paths if path.exists())
    assert memory == pytest.approx(BuildShare.of_this_machine().memory, abs=4096)
    assert share in {128, 12}


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
    new = f"ENV PROJECT={docker_node.project}"  # or the engine remembers what an earlier build wrote
    run = f"RUN cat /proc/self/cgroup; python3 /walls.py {tried}"
    dockerfile = f"FROM {docker_node.image}\n{new}\nCOPY walls.py /walls.py\nUSER root\n{run}\n"
    archive = source(docker_node.folder, {"Dockerfile": dockerfile, "walls.py": PROGRAM})
    await docker_node.runtime.build_image(dockerfile_spec(docker_node), archive, docker_node.output)
    found = found_in(docker_node.output.text)
    assert_reached_nothing(found, neighbour)
    refused = ("mount", "new_namespace", "write_sys", "write_proc", "write_cgroup")
    assert {found[what] for what in refused} <= {"EPERM", "EACCES", "EROFS"}, found  # root there, but of nothing
    assert (found["devices"], found["secrets_of_the_kernel"]) == ([], [])
    assert set(found["others"]) <= {"sh"}
    assert_gives_way(docker_node.output.text)


async def test_a_build_that_fills_the_disk_in_many_files_and_places_is_ended_while_it_runs(
    docker_node: DockerNode,
) -> None:
    places = (
        "for place in /app /tmp /cache; do cd $place; for n in 1 2 3 4 5 6; do head -c 4M /dev/zero > $n; done; done"
    )
    with pytest.raises(BuildOutOfDiskError, match="more than 64 MiB"):
        await docker_node.build(docker_node.release_spec(docker_node.step(f"{places}; sleep 1000", disk=64 * 2**20)))
    assert await docker_node.leftovers() == []


@pytest.mark.skipif(find_buildx() is None, reason="buildx is not installed")
async def test_a_step_of_a_dockerfile_that_fills_the_disk_is_ended_while_it_runs(docker_node: DockerNode) -> None:
    archive = source(
        docker_node.folder,
        {"Dockerfile": f"FROM {docker_node.image}\nRUN head -c 100M /dev/zero > /tmp/filling; sleep 1000\n"},
    )
    wanted = replace(dockerfile_spec(docker_node), disk=64 * 2**20)
    with pytest.raises(BuildOutOfDiskError, match="more than 64 MiB"):
        await docker_node.runtime.build_image(wanted, archive, docker_node.output)
