"""The connection to a Docker engine: aiodocker, the calls that it lacks, and its errors as the port's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import aiohttp
from aiodocker import Docker, DockerError
from aiodocker.containers import DockerContainer

from windlass_builder.application.runtime_errors import EngineError

# A call that the engine answers at once has this long; the engine of a busy machine takes seconds to start a container.
_TIMEOUT = aiohttp.ClientTimeout(total=120, sock_connect=5)


def connect(url: str | None = None) -> Docker:
    """Return a client of the engine at `url`, or of the one that the environment names, or of the local socket.

    Raises: EngineError where there is none.
    """
    try:
        return Docker(url=url, timeout=_TIMEOUT)
    except (ValueError, AssertionError) as error:  # what aiodocker answers where it finds no socket
        raise EngineError("No Docker engine is configured and none listens at /var/run/docker.sock.") from error


def is_here(url: str | None) -> bool:
    """Return whether the engine at `url`, or the one that the environment names, is on this machine."""
    return (url or os.environ.get("DOCKER_HOST") or "unix://").startswith("unix://")


@contextmanager
def engine_errors(doing: str) -> Iterator[None]:
    """Turn what the client raises into an `EngineError` that says what was being done."""
    try:
        yield
    except DockerError as error:
        raise EngineError(f"The Docker engine failed while {doing}: {error.message}") from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise EngineError(f"The Docker engine did not answer while {doing}.") from error


def is_missing(error: DockerError) -> bool:
    return error.status == HTTPStatus.NOT_FOUND


def is_conflict(error: DockerError) -> bool:
    return error.status == HTTPStatus.CONFLICT


async def set_restart_policy(docker: Docker, container: str, policy: str) -> None:
    """Change the restart policy of a container; aiodocker has no call for it.

    Raises: DockerError.
    """
    url = f"{docker.docker_host}/{docker.api_version}/containers/{container}/update"
    async with docker.session.post(url, json={"RestartPolicy": {"Name": policy}}) as answer:
        if answer.status != HTTPStatus.OK:
            body = await answer.json()
            raise DockerError(answer.status, body["message"])


async def find_container(docker: Docker, name: str) -> dict[str, Any] | None:
    """Return what the engine says of the container, None where there is none.

    Raises: DockerError.
    """
    try:
        return await docker.containers.container(name).show()
    except DockerError as error:
        if is_missing(error):
            return None
        raise


async def delete_container(container: DockerContainer) -> None:
    """Kill and delete it with its anonymous volumes; nothing happens where it is gone or already going.

    Raises: DockerError.
    """
    try:
        await container.delete(force=True, v=True)
    except DockerError as error:
        if not is_missing(error) and not is_conflict(error):
            raise
