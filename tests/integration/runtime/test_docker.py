"""What only a runtime on a Docker engine has to promise."""

import asyncio
import fcntl
import json
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest

from support.apps import request
from support.runtime_node import LIMITS, POOL, RUNNER_IMAGE, DockerNode, docker
from support.unix_proxy import unix_proxy
from windlass.provisioning.engine import Engine
from windlass_builder.adapters.docker.runtime import DockerRuntime
from windlass_builder.application.runtime_errors import (
    AddressesExhaustedError,
    BuildTimedOutError,
    EngineError,
    NameTakenError,
    RunnerImageMissingError,
    RunnerMissingError,
)
from windlass_builder.domain.names import build_name, cache_name, network_name, volume_name
from windlass_builder.domain.workloads import EventsResumed, Mount, OutputLine, RunnerPaused, RunnerStarted, Volume

pytestmark = pytest.mark.docker


@pytest.fixture
def node(docker_node: DockerNode) -> DockerNode:
    return docker_node


async def inspected(kind: str, name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = json.loads(await docker(kind, "inspect", name))
    return found[0]


async def test_nothing_without_the_label_is_touched(node: DockerNode) -> None:
    theirs = f"somebody-elses-{node.installation}"
    mark = ("--label", "dev.windlass.installation=ffffffff")
    await docker("run", "--detach", "--name", theirs, *mark, "--network", "none", node.image, "sleep", "1000")
    try:
        spec = await node.app()
        await node.runtime.start(spec)
        await node.runtime.reap_builds()
        await node.runtime.remove_project(node.project)
        await node.runtime.purge()
        assert (await inspected("container", theirs))["State"]["Running"]
        assert await docker("ps", "--all", "--quiet", "--filter", f"name={spec.name}") == ""
    finally:
        await docker("rm", "--force", theirs)


async def test_purge_leaves_no_object_of_the_installation(node: DockerNode) -> None:
    await node.runtime.start(await node.app())
    await node.build(node.release_spec(node.step("true")))
    await node.runtime.purge()
    ours = f"label=dev.windlass.installation={node.installation}"
    for listing in (["ps", "--all"], ["network", "ls"], ["volume", "ls"], ["image", "ls"]):
        assert await docker(*listing, "--quiet", "--filter", ours) == ""


async def test_containers_are_locked_up(node: DockerNode) -> None:
    spec = await node.app()
    await node.runtime.start(spec)
    host = (await inspected("container", spec.name))["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert (host["Memory"], host["MemorySwap"], host["PidsLimit"]) == (LIMITS.memory, LIMITS.memory, LIMITS.pids)
    assert host["NanoCpus"] == 1_000_000_000
    assert host["CgroupParent"] in {"/windlass-apps", "windlass-apps.slice"}
    assert host["LogConfig"] == {"Type": "local", "Config": {"mode": "blocking", "max-file": "5", "max-size": "20m"}}
    status = (await docker("exec", spec.name, "cat", "/proc/1/status")).replace("\t", " ")
    assert "CapEff: 0000000000000000" in status
    assert "NoNewPrivs: 1" in status


async def test_one_project_cannot_reach_anothers_runner(node: DockerNode) -> None:
    target = await node.runtime.start(await node.app())
    await request(target.address.host, target.address.port)
    url = f"http://{target.address}/"
    program = f"import urllib.request; urllib.request.urlopen({url!r}, timeout=%d)"
    same = await node.app()
    await node.runtime.start(same)
    await docker("exec", same.name, "python3", "-c", program % 60)
    node.another_project()
    other = await node.app()
    await node.runtime.start(other)
    with pytest.raises(AssertionError, match="timed out"):
        await docker("exec", other.name, "python3", "-c", program % 2)


async def test_a_project_gets_the_next_subnet_where_its_own_is_taken_and_addresses_stay(node: DockerNode) -> None:
    foreign = f"somebody-elses-{node.installation}"
    subnets = [*POOL.subnets(new_prefix=24)]
    own = node.project.int % len(subnets)
    await docker("network", "create", "--subnet", str(subnets[own]), foreign)
    try:
        spec = await node.app()
        first = await node.runtime.start(spec)
        assert IPv4Address(first.address.host) in subnets[(own + 1) % len(subnets)]
        other = await node.runtime.start(replace(spec, name=f"{spec.name}1"))
        for name in (spec.name, other.name):
            await docker("stop", "--time", "0", name)
        for name in (other.name, spec.name):  # in the other order the engine itself would swap them
            await docker("start", name)
        assert (await node.runtime.inspect(spec.name)).address == first.address
        assert b"200 OK" in await request(first.address.host, first.address.port)
        network = (await inspected("container", spec.name))["NetworkSettings"]["Networks"]
        assert network[network_name(node.installation, node.project)]["IPAddress"] == first.address.host
    finally:
        await docker("network", "rm", foreign)


async def test_a_runner_whose_network_was_removed_is_told_of_and_started_afresh(node: DockerNode) -> None:
    spec = await node.app()
    first = await node.runtime.start(spec)
    network = network_name(node.installation, node.project)
    before = (await inspected("network", network))["IPAM"]["Config"][0]["Subnet"]
    async with aclosing(node.runtime.events(node.now())) as events:
        await docker("network", "disconnect", "--force", network, spec.name)
        while not isinstance(await anext(events), EventsResumed):
            pass
        assert not (await node.runtime.inspect(spec.name)).connected
        await docker("network", "rm", network)
        while not isinstance(await anext(events), EventsResumed):
            pass
    fresh = await node.runtime.start(spec)
    assert fresh.connected
    assert fresh.id != first.id
    assert fresh.address != first.address  # whoever still knows the old one reaches nobody
    assert (await inspected("network", network))["IPAM"]["Config"][0]["Subnet"] == before
    assert b"200 OK" in await request(fresh.address.host, fresh.address.port)


async def test_a_runner_that_was_stopped_when_its_network_was_removed_starts_again(node: DockerNode) -> None:
    spec = await node.app()
    await node.runtime.start(spec)
    network = network_name(node.installation, node.project)
    await node.runtime.stop(spec.name, timedelta(0))
    await docker("network", "rm", network)
    assert not (await node.runtime.inspect(spec.name)).connected
    await docker("network", "create", "--label", f"dev.windlass.installation={node.installation}", network)
    assert not (await node.runtime.inspect(spec.name)).connected  # another one of that name is no help
    await docker("network", "rm", network)
    fresh = await node.runtime.start(spec)
    assert b"200 OK" in await request(fresh.address.host, fresh.address.port)


async def test_somebody_elses_container_under_our_name_is_left_alone(node: DockerNode) -> None:
    spec = await node.app()
    mark = ("--label", "dev.windlass.installation=ffffffff", "--label", "dev.windlass.installation.x=1")
    await docker("run", "--detach", "--name", spec.name, *mark, "--network", "none", node.image, "sleep", "1000")
    theirs = (await inspected("container", spec.name))["Id"]
    try:
        with pytest.raises(NameTakenError, match="was left alone"):
            await node.runtime.start(spec)
        for touching in (node.runtime.keep_running, node.runtime.pause, node.runtime.inspect):
            with pytest.raises(RunnerMissingError):
                await touching(spec.name)
        await node.runtime.stop(spec.name, timedelta(0))
        await node.runtime.remove(spec.name)
        await node.runtime.purge()
        left = await inspected("container", spec.name)
        assert (left["Id"], left["State"]["Running"]) == (theirs, True)
    finally:
        await docker("rm", "--force", spec.name)


async def test_somebody_elses_network_and_volume_under_our_names_are_left_alone(node: DockerNode) -> None:
    spec = await node.app()
    volume = Volume(node.project, node.project, "uploads")
    mounted = replace(spec, mounts=(Mount(volume, "/uploads"),))
    names = {"volume": volume_name(node.installation, volume), "network": network_name(node.installation, node.project)}
    await node.runtime.remove_project(node.project)
    for kind, name in names.items():
        await docker(kind, "create", name)
        try:
            with pytest.raises(NameTakenError, match=f"There is a {kind} {name}"):
                await node.runtime.start(mounted)
            await node.runtime.purge()
            assert (await inspected(kind, name))["Labels"] in (None, {})
        finally:
            await docker(kind, "rm", name)


async def test_somebody_elses_volume_is_no_cache_of_ours(node: DockerNode) -> None:
    name = cache_name(node.installation, node.project)
    await docker("volume", "create", name)
    try:
        with pytest.raises(NameTakenError, match=f"There is a volume {name}"):
            await node.runtime.prepare(node.project)
    finally:
        await docker("volume", "rm", name)


async def test_pool_without_a_free_subnet_is_said(node: DockerNode, docker_engine: Engine) -> None:
    runtime = DockerRuntime(node.installation, node.folder / "home", IPv4Network("10.211.255.0/24"), docker_engine.url)
    try:
        await runtime.prepare(node.project)
        await runtime.prepare(node.project)
        with pytest.raises(AddressesExhaustedError, match=r"10\.211\.255\.0/24"):
            await runtime.prepare(node.another_project())
    finally:
        await runtime.close()


async def test_build_that_a_killed_builder_left_behind_is_replaced(node: DockerNode) -> None:
    spec = node.release_spec()
    release = await node.build(spec)
    await node.runtime.remove_release(release.reference)
    await node.reconnect()  # and with it what is still being deleted
    name = build_name(node.installation, release.digest.removeprefix("sha256:"))
    labels = ("--label", f"dev.windlass.installation={node.installation}", "--label", "dev.windlass.role=build")
    await docker("run", "--detach", "--name", name, *labels, "--network", "none", node.image, "sleep", "1000")
    assert (await node.build(spec)).reference == release.reference
    await node.reconnect()
    assert await node.leftovers() == []
    await docker("run", "--detach", "--name", name, *labels, "--network", "none", node.image, "sleep", "1000")
    await node.runtime.reap_builds()
    assert await node.leftovers() == []


async def test_build_runs_neither_on_the_hosts_network_nor_as_root(node: DockerNode) -> None:
    command = "id -u; cat /proc/net/route | tail -n +2 | cut -f 1 | sort -u; test -w /etc || echo no root"
    await node.build(node.release_spec(node.step(command)))
    assert node.output.text == "10001\neth0\nno root"


async def test_fork_bomb_that_holds_its_ground_until_the_timeout_is_killed(node: DockerNode) -> None:
    step = node.step("python3 bomb.py", timeout=timedelta(seconds=3))
    bomb = "import os, signal\nwhile True:\n  try: os.fork()\n  except OSError: signal.pause()\n"
    with pytest.raises(BuildTimedOutError):
        await node.build(node.release_spec(step), {"bomb.py": bomb})
    assert await node.leftovers() == []


async def test_events_go_on_through_an_engine_that_was_away(node: DockerNode, tmp_path: Path) -> None:
    spec = await node.app()
    async with unix_proxy(tmp_path / "engine.sock", Path("/var/run/docker.sock")) as proxy:
        runtime = DockerRuntime(node.installation, tmp_path / "home", POOL, f"unix://{tmp_path}/engine.sock")
        async with asyncio.timeout(60), aclosing(runtime.events(node.now())) as events:
            await node.runtime.start(spec)
            assert isinstance(await anext(events), RunnerStarted)
            proxy.closed = True
            proxy.cut()
            waiting = asyncio.create_task(anext(events))
            await node.runtime.pause(spec.name)
            proxy.closed = False
            assert isinstance(await waiting, EventsResumed)
            assert isinstance(await anext(events), RunnerPaused)
        await runtime.close()


async def test_engine_that_is_away_is_said(node: DockerNode, tmp_path: Path) -> None:
    runtime = DockerRuntime(node.installation, tmp_path, POOL, f"unix://{tmp_path}/nobody.sock")
    with pytest.raises(EngineError, match="Docker engine"):
        await runtime.runners()
    await runtime.close()


def lock_in(node: DockerNode) -> Path:
    home = node.folder / "home"
    home.mkdir(exist_ok=True)
    return home / "runners.lock"


async def test_build_waits_for_a_runner_that_is_still_being_prepared(docker_node: DockerNode) -> None:
    late = f"windlass-{docker_node.installation}-late:1"
    docker_node.image = late
    said = asyncio.Event()

    async def output(line: OutputLine) -> None:
        assert b"still being prepared" in line.data
        said.set()

    with lock_in(docker_node).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        building = asyncio.create_task(docker_node.build(docker_node.release_spec(), output=output))
        await asyncio.wait_for(said.wait(), 60)
        await docker("tag", RUNNER_IMAGE, late)
    try:
        assert not (await building).cache_hit
    finally:
        await docker("image", "rm", "--no-prune", late)


async def test_runner_that_nobody_could_prepare_is_missing_in_the_end(docker_node: DockerNode) -> None:
    docker_node.image = f"windlass-{docker_node.installation}-never:1"
    lock_in(docker_node).touch()
    with pytest.raises(RunnerImageMissingError):
        await docker_node.build(docker_node.release_spec())
