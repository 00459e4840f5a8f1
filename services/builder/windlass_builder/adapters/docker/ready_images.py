"""Ready images, fetched from their registries by digest."""

import asyncio
from typing import Any

import aiohttp
from aiodocker import Docker, DockerError

from windlass_builder.adapters.docker.engine import delete_container, is_missing
from windlass_builder.adapters.docker.labels import INSTALLATION
from windlass_builder.adapters.docker.ownership import delete_left
from windlass_builder.application.runtime_errors import EngineError, ImageError
from windlass_builder.domain.images import PullProblem, pull_problem, registry_of, repository_of
from windlass_builder.domain.workloads import ReadyImageSpec


async def fetch(docker: Docker, spec: ReadyImageSpec) -> tuple[str, bool]:
    """Return what the engine calls the image, and whether it had it already.

    Raises: ImageError, DockerError.
    """
    pinned = f"{repository_of(spec.reference)}@{spec.digest}"
    if (known := await _find(docker, pinned)) is not None:
        return _checked(pinned, spec, known), True
    await _pull(docker, pinned, spec)
    found = await _find(docker, pinned)
    if found is None:
        raise ImageError(pinned, PullProblem.MISMATCH, "it is not there after it was fetched")
    return _checked(pinned, spec, found), False


async def own(docker: Docker, image: str, name: str, marks: dict[str, str], reference: str) -> None:
    """Make an image of ours of it: the same, with labels that say whose it is.

    Raises: NameTakenError, where something of somebody else's bears the name `name`; DockerError.
    """
    configuration: dict[str, Any] = {"Image": image, "Labels": marks, "HostConfig": {"NetworkMode": "none"}}
    await delete_left(docker, name, marks[INSTALLATION])
    try:
        container = await docker.containers.create(configuration, name=name)
    except DockerError as error:
        if "no command" not in error.message.lower():
            raise
        container = await docker.containers.create({**configuration, "Cmd": ["true"]}, name=name)
    try:
        repository, _, tag = reference.partition(":")
        await container.commit(repository=repository, tag=tag, pause=False, config={"Labels": marks})
    finally:
        await asyncio.shield(delete_container(container))


async def _find(docker: Docker, image: str) -> dict[str, Any] | None:
    try:
        return await docker.images.inspect(image)
    except DockerError as error:
        if is_missing(error):
            return None
        raise


def _checked(pinned: str, spec: ReadyImageSpec, found: dict[str, Any]) -> str:
    """Return the name, once the engine says that this image has the digest."""
    digests = [known.partition("@")[2] for known in found.get("RepoDigests") or ()]
    if spec.digest not in digests:
        raise ImageError(pinned, PullProblem.MISMATCH, f"it has {', '.join(digests) or 'no digest'}")
    return pinned


async def _pull(docker: Docker, pinned: str, spec: ReadyImageSpec) -> None:
    login = spec.login
    host = registry_of(spec.reference)
    auth = None if login is None else {"username": login.user, "password": login.password, "serveraddress": host}
    try:
        async for step in docker.images.pull(pinned, auth=auth, stream=True, timeout=None):
            if "error" in step:
                raise ImageError(pinned, pull_problem(step["error"]), step["error"])
    except DockerError as error:
        raise ImageError(pinned, pull_problem(error.message), error.message) from error
    except aiohttp.ClientError as error:
        raise EngineError(f"The Docker engine broke off while fetching {pinned}.") from error
