"""What every runtime promises about building releases."""

import asyncio
import secrets
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from support.apps import FORK_BOMB, request, source
from support.runtime_node import LIMITS, Node, Output, docker
from windlass_builder.application.runtime_errors import (
    BuildExitedError,
    BuildOutOfDiskError,
    BuildOutOfMemoryError,
    BuildOutOfProcessesError,
    BuildPathTooLongError,
    BuildSourceError,
    BuildTimedOutError,
    EngineError,
    RunnerImageMissingError,
)
from windlass_builder.domain.belongings import BelongingKind
from windlass_builder.domain.detection.recipes import python_build_command
from windlass_builder.domain.workloads import DependencyLayer, OutputStream, ReleaseSpec


async def test_equal_specifications_share_one_release(node: Node) -> None:
    spec = node.release_spec(node.step("date +%N > built"))
    first = await node.build(spec)
    again = await node.build(spec)
    assert not first.cache_hit
    assert again.cache_hit
    assert (again.reference, again.digest) == (first.reference, first.digest)


@pytest.mark.parametrize("change", ["revision", "root", "command", "environment", "project"])
async def test_what_changes_the_content_changes_the_release(node: Node, change: str) -> None:
    spec = node.release_spec(node.step("true"), revision="a" * 40)
    changed = {
        "revision": node.release_spec(node.step("true"), revision="b" * 40),
        "root": ReleaseSpec(project=spec.project, runner=spec.runner, revision="a" * 40, root="app", step=spec.step),
        "command": node.release_spec(node.step("true; true"), revision="a" * 40),
        "environment": node.release_spec(node.step("true", environment_version="2"), revision="a" * 40),
        "project": node.release_spec(node.step("true"), revision="a" * 40),
    }[change]
    first = await node.build(spec)
    if change == "project":
        node.another_project()
        changed = node.release_spec(node.step("true"), revision="a" * 40)
    assert (await node.build(changed)).digest != first.digest


async def test_concurrent_builds_of_one_release_build_once(node: Node) -> None:
    spec = node.release_spec(node.step("echo built"))
    releases = await asyncio.gather(node.build(spec), node.build(spec))
    assert sorted(release.cache_hit for release in releases) == [False, True]
    assert node.output.text == "built"


async def test_build_output_arrives_line_by_line_with_its_stream(node: Node) -> None:
    step = node.step("echo one; echo 'wörks' >&2; printf 'no end'; mkdir made")
    await node.build(node.release_spec(step))
    assert {(line.stream, line.data.decode()) for line in node.output.lines} == {
        (OutputStream.STDOUT, "one"),
        (OutputStream.STDERR, "wörks"),
        (OutputStream.STDOUT, "no end"),
    }
    assert all(line.time.tzinfo is not None for line in node.output.lines)


async def test_failed_build_says_its_exit_code_and_leaves_no_release(node: Node) -> None:
    spec = node.release_spec(node.step("echo broken >&2; exit 3"))
    with pytest.raises(BuildExitedError) as failure:
        await node.build(spec)
    assert failure.value.exit_code == 3
    assert node.output.text == "broken"
    with pytest.raises(BuildExitedError):
        await node.build(spec)


async def test_build_that_hangs_is_killed_after_its_timeout(node: Node) -> None:
    spec = node.release_spec(node.step("sleep 1000 & sleep 1000", timeout=timedelta(seconds=1)))
    with pytest.raises(BuildTimedOutError, match="longer than 1 s"):
        await node.build(spec)
    assert await node.leftovers() == []


async def test_build_that_takes_all_memory_is_stopped_and_says_so(node: Node) -> None:
    hog = "python3 -c 'hog = bytearray(2**30); print(len(hog))'"
    with pytest.raises(BuildOutOfMemoryError, match="192 MiB"):
        await node.build(node.release_spec(node.step(hog)))
    assert await node.leftovers() == []


async def test_fork_bomb_is_bounded_and_named(node: Node) -> None:
    step = node.step("python3 bomb.py >/dev/null 2>&1")
    with pytest.raises(BuildOutOfProcessesError, match=f"more than {LIMITS.pids} processes"):
        await node.build(node.release_spec(step), {"bomb.py": FORK_BOMB})
    assert await node.leftovers() == []


@pytest.mark.parametrize(
    "command", ["head -c 8M /dev/zero > one; head -c 8M /dev/zero > two", "head -c 20M /dev/zero > one"]
)
async def test_build_that_writes_too_much_fails_and_says_so(node: Node, command: str) -> None:
    with pytest.raises(BuildOutOfDiskError, match="10 MiB"):
        await node.build(node.release_spec(node.step(command, disk=10 * 2**20)))


async def test_cancelled_build_leaves_nothing_running(node: Node) -> None:
    started = asyncio.Event()
    spec = node.release_spec(node.step("echo started; sleep 1000"))

    async def output(_: object) -> None:
        started.set()

    building = asyncio.create_task(node.build(spec, output=output))
    await started.wait()
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    assert await node.leftovers() == []


async def test_environment_of_the_build_reaches_it_and_is_no_part_of_the_release(node: Node) -> None:
    secret = secrets.token_hex(16)
    check = 'test "${#TOKEN}" = 32 && echo received'
    release = await node.build(node.release_spec(node.step(check, environment={"TOKEN": secret})))
    assert node.output.text == "received"
    assert secret not in await node.everything_about(release)
    runner = await node.runtime.start(node.runner_spec(release, "exec python3 main.py"))
    assert secret.encode() not in await request(runner.address.host, runner.address.port)


@pytest.mark.parametrize("content", [b"", b"no tar at all" * 100, bytes(511)])
async def test_source_that_is_no_archive_is_refused(node: Node, content: bytes) -> None:
    archive = node.folder / "source.tar"
    archive.write_bytes(content)
    with pytest.raises(BuildSourceError, match="no whole archive"):
        await node.runtime.build(node.release_spec(), archive, node.output)
    assert await node.leftovers() == []


@pytest.mark.parametrize("name", ["n" * 256, "/".join(["folder" * 10] * 80)], ids=["name", "path"])
async def test_path_that_no_file_system_takes_is_refused_by_name(node: Node, name: str) -> None:
    with pytest.raises(BuildPathTooLongError, match=name[:100]):
        await node.runtime.build(node.release_spec(), source(node.folder, {"main.py": "", name: ""}), node.output)
    assert await node.leftovers() == []


async def test_missing_runner_is_named(node: Node) -> None:
    spec = ReleaseSpec(project=node.project, runner="windlass/runner-nobody:1", revision="a" * 40)
    with pytest.raises(RunnerImageMissingError, match="windlass/runner-nobody:1"):
        await node.build(spec)


async def test_requirements_are_installed_where_the_app_finds_them(node: Node) -> None:
    app = "import os, socketserver, idna\nprint(idna.__version__)\n"
    files = {"main.py": app, "requirements.txt": "idna==3.10\n"}
    command = python_build_command(files)
    assert command is not None
    release = await node.build(node.release_spec(node.step(command)), files)
    started = node.now()
    runner = await node.runtime.start(node.runner_spec(release, "exec python main.py"))
    assert (await node.exit_of(runner.name, started)).exit_code == 0, node.output.text


async def test_removed_release_is_built_anew(node: Node) -> None:
    spec = node.release_spec()
    release = await node.build(spec)
    (kept,) = await node.runtime.releases(node.project)
    assert (kept.reference, kept.project, kept.layer, kept.on) == (release.reference, node.project, False, frozenset())
    assert kept.size > 0
    assert await node.runtime.releases(uuid4()) == []
    await node.runtime.remove_release(release.reference)
    await node.runtime.remove_release(release.reference)
    assert await node.runtime.releases(node.project) == []
    assert not (await node.build(spec)).cache_hit


async def test_what_a_project_has_beside_its_releases_goes_when_it_is_told_to_and_comes_again(node: Node) -> None:
    await node.build(
        node.release_spec(node.step("mkdir -p $PIP_CACHE_DIR && head -c 4096 /dev/zero > $PIP_CACHE_DIR/file"))
    )
    other = node.project
    node.another_project()
    assert await node.runtime.belongings(node.project) == []

    found = {one.kind: one for one in await node.runtime.belongings(other)}
    measured = await node.runtime.measured(found[BelongingKind.CACHE])
    assert measured.size is not None
    assert measured.size >= 4096
    for one in found.values():
        await node.runtime.remove_belonging(one)
        await node.runtime.remove_belonging(one)
    assert await node.runtime.belongings(other) == []

    node.project = other
    await node.build(node.release_spec(node.step("true")))
    assert {one.kind for one in await node.runtime.belongings(other)} == found.keys()


@pytest.mark.docker
async def test_images_of_this_installation_without_a_name_are_found_and_no_others(docker_node: Node) -> None:
    node = docker_node
    empty = node.folder / "empty.tar"
    empty.write_bytes(bytes(10_240))

    async def unnamed(installation: str) -> str:
        label = f"LABEL dev.windlass.installation={installation} dev.windlass.project={node.project}"
        return (await docker("import", "--change", label, str(empty))).strip()

    ours, foreign = await unnamed(node.installation), await unnamed("0" * 8)
    try:
        (found,) = await node.runtime.belongings(node.project)
        assert (found.kind, found.name) == (BelongingKind.IMAGE, ours)
        assert await node.runtime.measured(found) == found
        await node.runtime.remove_belonging(found)
        await node.runtime.remove_belonging(found)
        assert await node.runtime.belongings(node.project) == []
        assert foreign in await docker("image", "inspect", foreign)
    finally:
        await docker("rmi", foreign)


@pytest.mark.docker
async def test_a_network_that_a_runner_is_in_is_left_alone(docker_node: Node) -> None:
    node = docker_node
    await node.runtime.start(await node.app())
    (network,) = (one for one in await node.runtime.belongings(node.project) if one.kind is BelongingKind.NETWORK)
    with pytest.raises(EngineError, match=network.name):
        await node.runtime.remove_belonging(network)
    assert network in await node.runtime.belongings(node.project)


def layered(node: Node, install: str, files: dict[str, str], command: str | None = None) -> ReleaseSpec:
    step = None if command is None else node.step(command)
    return replace(node.release_spec(step), layer=DependencyLayer(step=node.step(install), files=files))


@pytest.mark.docker
async def test_change_of_code_installs_nothing_again(docker_node: Node) -> None:
    node = docker_node
    install = "ls > seen; date +%N > installed; cat lock"
    check = "cat seen installed > built"
    files = {"main.py": "first", "lock": "one"}
    first = await node.build(layered(node, install, {"lock": "1"}, check), files)
    second = await node.build(layered(node, install, {"lock": "1"}, check), {**files, "main.py": "second"})
    assert first.reference != second.reference
    assert node.output.text.count("installed anew, from lock") == 1
    assert node.output.text.count("taken from before: unchanged are lock") == 1
    spec = node.runner_spec(second, "cat main.py; cat built; test $(head -1 built) = lock")
    await node.runtime.start(spec)
    told = Output()
    assert (await node.runtime.attend(spec.name, told)).exit_code == 0, told.text
    assert told.text.startswith("second")

    third = await node.build(layered(node, install, {"lock": "2"}, check), {**files, "lock": "two"})
    assert node.output.text.count("installed anew") == 2

    kept = {one.reference: one for one in await node.runtime.releases(node.project)}
    on = [kept[one.reference].on for one in (first, second, third)]
    assert on[0] == on[1] != on[2]
    assert {name for name, one in kept.items() if one.layer} == on[0] | on[2]
    assert len(on[0]) == len(on[2]) == 1


async def test_dependencies_are_there_before_the_rest_is_built_and_when_the_app_runs(node: Node) -> None:
    spec = layered(node, "echo installed > made", {"main.py": "1"}, "cat made > built")
    runner = node.runner_spec(await node.build(spec), "cat made built")
    await node.runtime.start(runner)
    told = Output()
    await node.runtime.attend(runner.name, told)
    assert told.text == "installed\ninstalled"


async def test_dependencies_and_what_comes_after_them_share_the_time_of_a_build(node: Node) -> None:
    limit = timedelta(seconds=3)
    layer = DependencyLayer(step=node.step("sleep 2", timeout=limit), files={"main.py": secrets.token_hex(4)})
    spec = replace(node.release_spec(node.step("sleep 2", timeout=limit)), layer=layer)
    with pytest.raises(BuildTimedOutError, match="longer than 3 s"):
        await node.build(spec)
    assert await node.leftovers() == []


async def test_dependencies_that_cannot_be_installed_fail_the_build_and_leave_nothing(node: Node) -> None:
    spec = layered(node, "echo the lock does not fit >&2; exit 4", {"main.py": "1"})
    with pytest.raises(BuildExitedError) as failure:
        await node.build(spec)
    assert failure.value.exit_code == 4
    assert "the lock does not fit" in node.output.text
    assert await node.leftovers() == []
