"""Persistent volumes: shared by an environment's containers, writable by the app, and outliving all of them."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from support.runtime_node import Node, ProcessNode
from windlass_builder.adapters.processes.runtime import ProcessRuntime
from windlass_builder.adapters.processes.sandbox import Plain
from windlass_builder.application.runtime_errors import VolumeInUseError, VolumesUnsupportedError
from windlass_builder.domain.workloads import Exited, Mount, RunnerSpec, Volume


async def ended(node: Node, spec: RunnerSpec) -> int:
    """Run the spec's command to its end, remove the runner, and return the exit code."""
    await node.runtime.start(spec)
    async with asyncio.timeout(60):
        end: Exited = await node.runtime.attend(spec.name, node.output)
    await node.runtime.remove(spec.name)
    return end.exit_code


async def test_what_one_runner_writes_the_next_one_reads_and_changes_until_the_volume_is_removed(node: Node) -> None:
    volume = Volume(node.project, uuid4(), "data")
    inner = Volume(node.project, volume.environment, "uploads")
    mounts = (Mount(inner, "/app/up/loads"), Mount(volume, "/data"))
    spec = replace(await node.app("true"), mounts=mounts)
    wrote = "umask 077 && echo kept > /data/file && chmod 700 /data && echo up > up/loads/file"
    assert await ended(node, spec.under(f"{spec.name}1", wrote)) == 0, node.output.text
    read = "grep kept /data/file && echo more >> /data/file && grep up up/loads/file && stat -c mode=%a /data"
    assert await ended(node, spec.under(f"{spec.name}2", read)) == 0, node.output.text
    assert "mode=700" in node.output.text

    found = {one.volume: one for one in await node.runtime.volumes()}
    assert found.keys() == {volume, inner}
    assert (found[volume].size, found[volume].users) == (len("kept\nmore\n"), ())

    await node.runtime.remove_project(node.project)
    assert {one.volume for one in await node.runtime.volumes()} == {volume, inner}
    await node.runtime.remove_volume(volume)
    await node.runtime.remove_volume(volume)
    assert [one.volume for one in await node.runtime.volumes()] == [inner]


async def test_a_volume_in_use_is_left_alone_and_other_environments_do_not_see_it(node: Node) -> None:
    volume = Volume(node.project, uuid4(), "data")
    spec = await node.app("echo mine > /data/file && echo ready && exec sleep 60")
    user = replace(spec, mounts=(Mount(volume, "/data"),))
    await node.runtime.start(user)
    await node.until_said(user.name, "ready")

    [found] = await node.runtime.volumes()
    assert found.users == (user.name,)
    with pytest.raises(VolumeInUseError, match=user.name):
        await node.runtime.remove_volume(volume)

    other = replace(spec, mounts=(Mount(replace(volume, environment=uuid4()), "/data"),))
    assert await ended(node, other.under(f"{spec.name}2", "ls /data && ! cat /data/file")) == 0, node.output.text


async def test_without_a_sandbox_an_app_with_volumes_is_refused(process_node: ProcessNode) -> None:
    spec = await process_node.app("true")
    plain = ProcessRuntime(process_node.installation, process_node.folder / "home", {}, Plain())
    with pytest.raises(VolumesUnsupportedError):
        await plain.start(replace(spec, mounts=(Mount(Volume(process_node.project, uuid4(), "data"), "/data"),)))
