"""Ready images, taken from a real registry that asks who comes."""

import asyncio
import io
import shutil
import tarfile
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiodocker import Docker, DockerError

from support.ports import free_port
from support.runtime_node import DockerNode, Node
from windlass_builder.application.runtime_errors import ImageError, NameTakenError
from windlass_builder.domain.images import PullProblem
from windlass_builder.domain.names import build_name
from windlass_builder.domain.releases import ready_image_digest
from windlass_builder.domain.workloads import Login, ReadyImageSpec

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(shutil.which("docker-registry") is None, reason="docker-registry is not installed"),
]
USER, PASSWORD = "somebody", "hunter2"
# bcrypt of the password.
_WHO = f"{USER}:$2b$05$abcdefghijklmnopqrstuuoXuKqgZXLiJqzfmMXDDhSFPIvxV7t8.\n"
_CONFIGURATION = """
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}/images}}}}
http: {{addr: 127.0.0.1:{port}}}
auth: {{htpasswd: {{realm: tests, path: {folder}/who}}}}
"""


@dataclass(frozen=True)
class Pushed:
    reference: str
    digest: str


@pytest.fixture
async def pushed(tmp_path: Path) -> AsyncIterator[Pushed]:
    """Yield an image that lies in a registry, and not on the engine."""
    port = free_port()
    (tmp_path / "who").write_text(_WHO)
    configuration = tmp_path / "registry.yml"
    configuration.write_text(_CONFIGURATION.format(folder=tmp_path, port=port))
    program = await asyncio.create_subprocess_exec(
        "docker-registry", "serve", str(configuration), stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        await _open(port)
        yield await _push(f"127.0.0.1:{port}/shop")
    finally:
        program.terminate()
        await program.wait()


async def _open(port: int) -> None:
    """Return once it listens; a port that is closed gives no sign when it opens."""
    async with asyncio.timeout(60):
        while True:
            with suppress(ConnectionRefusedError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.02)


async def _push(reference: str) -> Pushed:
    files = io.BytesIO()
    with tarfile.open(fileobj=files, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("hello"))
    async with Docker() as docker:
        url = f"{docker.docker_host}/v1.41/images/create"
        async with docker.session.post(
            url, params={"fromSrc": "-", "repo": reference, "tag": "1"}, data=files.getvalue()
        ) as answer:
            await answer.read()
        auth = {"username": USER, "password": PASSWORD, "serveraddress": reference.partition("/")[0]}
        await docker.images.push(f"{reference}:1", auth=auth)
        (pinned,) = (await docker.images.inspect(f"{reference}:1"))["RepoDigests"]
        await docker.images.delete(f"{reference}:1", force=True)
    return Pushed(reference, pinned.partition("@")[2])


async def test_image_is_taken_by_its_digest_with_the_projects_login(docker_node: Node, pushed: Pushed) -> None:
    spec = ReadyImageSpec(
        project=docker_node.project,
        reference=f"{pushed.reference}:whatever",
        digest=pushed.digest,
        login=Login(user=USER, password=PASSWORD),
    )
    release = await docker_node.runtime.take_image(spec, docker_node.output)
    assert (release.digest, release.cache_hit) == (pushed.digest, False)
    assert "run as user 10001" in docker_node.output.text
    assert (await docker_node.runtime.take_image(spec, docker_node.output)).cache_hit
    async with Docker() as docker:
        with pytest.raises(DockerError, match="No such image"):
            await docker.images.inspect(f"{pushed.reference}@{pushed.digest}")


async def test_a_container_of_somebody_elses_under_the_name_that_it_is_taken_by_is_left_alone(
    docker_node: DockerNode, pushed: Pushed
) -> None:
    spec = ReadyImageSpec(
        project=docker_node.project,
        reference=pushed.reference,
        digest=pushed.digest,
        login=Login(user=USER, password=PASSWORD),
    )
    name = build_name(docker_node.installation, ready_image_digest(spec))
    async with Docker() as docker:
        theirs = await docker.containers.create({"Image": docker_node.image, "Cmd": ["true"]}, name=name)
        try:
            with pytest.raises(NameTakenError, match="left alone"):
                await docker_node.runtime.take_image(spec, docker_node.output)
            await theirs.show()
        finally:
            await theirs.delete(force=True)


@pytest.mark.parametrize("login", [None, Login(user=USER, password=USER)])
async def test_registry_that_does_not_know_who_asks_says_so(
    docker_node: Node, pushed: Pushed, login: Login | None
) -> None:
    spec = ReadyImageSpec(project=docker_node.project, reference=pushed.reference, digest=pushed.digest, login=login)
    with pytest.raises(ImageError, match="credential of the kind registry") as failure:
        await docker_node.runtime.take_image(spec, docker_node.output)
    assert failure.value.problem is PullProblem.LOGIN_NEEDED


async def test_image_that_is_not_there_is_named(docker_node: Node, pushed: Pushed) -> None:
    spec = ReadyImageSpec(
        project=docker_node.project,
        reference=pushed.reference,
        digest=f"sha256:{'0' * 64}",
        login=Login(user=USER, password=PASSWORD),
    )
    for reference in (spec.reference, f"{spec.reference}-other"):
        with pytest.raises(ImageError, match="no such image") as failure:
            await docker_node.runtime.take_image(replace(spec, reference=reference), docker_node.output)
        assert failure.value.problem is PullProblem.NOT_FOUND
