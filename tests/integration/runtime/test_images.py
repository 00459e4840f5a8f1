"""Releases that a Dockerfile describes, built by BuildKit, and images of a registry."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from support.apps import source
from support.runtime_node import Node, Output
from windlass.provisioning.buildx import find_buildx
from windlass_builder.application.runtime_errors import (
    BuildTimedOutError,
    DockerfileError,
    ImageError,
    RunnerUnstartableError,
)
from windlass_builder.domain.images import PullProblem
from windlass_builder.domain.workloads import DockerfileSpec, ReadyImageSpec, Release

pytestmark = [pytest.mark.docker, pytest.mark.skipif(find_buildx() is None, reason="buildx is not installed")]
HIDDEN = "hunter2-of-the-build"


def spec(node: Node, revision: str = "a" * 40, **secrets: str) -> DockerfileSpec:
    return DockerfileSpec(
        project=node.project, revision=revision, secrets=secrets, disk=2**30, timeout=timedelta(seconds=180)
    )


async def built(node: Node, dockerfile: str, wanted: DockerfileSpec | None = None) -> Release:
    archive = source(node.folder, {"Dockerfile": dockerfile.replace("BASE", node.image), "hello": "hi"})
    return await node.runtime.build_image(wanted or spec(node), archive, node.output)


async def test_image_runs_as_it_says_but_never_as_root(docker_node: Node) -> None:
    dockerfile = """
FROM BASE
USER root
RUN --mount=type=secret,id=TOKEN grep -q hunter2 /run/secrets/TOKEN && echo received
ENV GREETING="it's \\"me\\""
COPY hello /hello
LABEL dev.windlass.project=somebody-else
CMD ["sh", "-c", "id -u; cat /hello; echo; echo $GREETING"]
"""
    release = await built(docker_node, dockerfile, spec(docker_node, TOKEN=HIDDEN))
    assert "received" in docker_node.output.text
    assert "run as user 10001" in docker_node.output.text
    assert HIDDEN not in await docker_node.everything_about(release)
    runner = replace(docker_node.runner_spec(release, ""), command=None)
    await docker_node.runtime.start(runner)
    told = Output()
    await docker_node.runtime.attend(runner.name, told)
    assert told.text.splitlines() == ["10001", "hi", 'it\'s "me"']
    assert (await built(docker_node, dockerfile)).cache_hit


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("RUN false", "line 2: RUN false ended with exit code 1"),
        ("RUN --network=host true", "line 2: .*neither the host's network"),
        ("COPY nothing /", "line 2: COPY nothing"),
        ("COPY ../../etc/passwd /", "line 2: COPY ../../etc/passwd /: there is no etc"),
        ("ADD http://127.0.0.1:9/secret /", "line 2: ADD takes files of the source alone"),
        ("RUN --mount=type=secret,id=NOPE,required=true true", "line 2: .*secret NOPE not found"),
    ],
)
async def test_what_cannot_be_built_is_said_with_its_line(docker_node: Node, lines: str, sentence: str) -> None:
    with pytest.raises(DockerfileError, match=f"Dockerfile {sentence}"):
        await built(docker_node, f"FROM BASE\n{lines}\n")


async def test_build_that_hangs_ends_with_its_timeout_and_one_that_is_cancelled_at_once(docker_node: Node) -> None:
    hangs = "FROM BASE\nRUN echo begun; sleep 1000\n"
    with pytest.raises(BuildTimedOutError):
        await built(docker_node, hangs, replace(spec(docker_node), timeout=timedelta(seconds=2)))
    building = asyncio.create_task(built(docker_node, hangs))
    await asyncio.sleep(0)
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building


async def test_build_that_is_cancelled_while_its_source_is_unpacked_leaves_no_file(docker_node: Node) -> None:
    files = {f"folder-{number}/file": "x" for number in range(3_000)}
    archive = source(docker_node.folder, {"Dockerfile": f"FROM {docker_node.image}\n", **files})
    before = {path.name for path in archive.parent.iterdir()}
    building = asyncio.create_task(docker_node.runtime.build_image(spec(docker_node), archive, docker_node.output))
    while not list(archive.parent.glob("tmp*/context/folder-1/file")):  # noqa: ASYNC110 - files tell nobody
        await asyncio.sleep(0)
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    assert {path.name for path in archive.parent.iterdir()} == before


async def test_user_that_the_image_does_not_have_is_no_reason_to_try_again(docker_node: Node) -> None:
    release = await built(docker_node, "FROM BASE\nUSER nobody-here\n")
    runner = docker_node.runner_spec(release, "true")
    with pytest.raises(RunnerUnstartableError, match="nobody-here"):
        await docker_node.runtime.start(runner)
    assert await docker_node.runtime.runners() == []


async def test_registry_that_is_away_is_named(docker_node: Node) -> None:
    wanted = ReadyImageSpec(project=docker_node.project, reference="127.0.0.1:9/shop", digest=f"sha256:{'0' * 64}")
    with pytest.raises(ImageError, match="does not answer") as failure:
        await docker_node.runtime.take_image(wanted, docker_node.output)
    assert failure.value.problem is PullProblem.UNREACHABLE
