"""Whose the thing is that bears a name of ours: what has not this installation's label is never touched."""

from collections.abc import Mapping
from typing import Any

from aiodocker import Docker

from windlass_builder.adapters.docker.engine import delete_container, find_container
from windlass_builder.adapters.docker.labels import INSTALLATION
from windlass_builder.application.runtime_errors import NameTakenError


def is_ours(marks: Mapping[str, Any] | None, installation: str) -> bool:
    """Return whether these labels are of something that belongs to the installation."""
    return (marks or {}).get(INSTALLATION) == installation


def require_ours(what: str, name: str, marks: Mapping[str, Any] | None, installation: str) -> None:
    """Do nothing with what is ours.

    Raises: NameTakenError, where somebody else made it.
    """
    if not is_ours(marks, installation):
        raise NameTakenError(what, name)


async def delete_left(docker: Docker, name: str, installation: str) -> None:
    """Delete the container that an earlier life of this process left under the name, if it did.

    Raises: NameTakenError, where it is somebody else's; DockerError.
    """
    left = await find_container(docker, name)
    if left is not None:
        require_ours("container", name, left["Config"]["Labels"], installation)
        await delete_container(docker.containers.container(left["Id"]))
