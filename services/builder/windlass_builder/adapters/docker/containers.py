"""The containers that runners are: how they are made, taken up, started, paused, and what they wrote."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from uuid import UUID

from aiodocker import Docker, DockerError
from aiodocker.containers import DockerContainer

from windlass_builder.adapters.docker.app_group import AppGroup
from windlass_builder.adapters.docker.engine import (
    delete_container,
    find_container,
    is_missing,
)
from windlass_builder.adapters.docker.labels import DEPLOYMENT, SPECIFICATION, Role, having
from windlass_builder.adapters.docker.networks import ProjectNetworks
from windlass_builder.adapters.docker.ownership import is_ours, require_ours
from windlass_builder.adapters.docker.runners import runner_configuration, runner_of
from windlass_builder.adapters.docker.volumes import Volumes
from windlass_builder.application.runtime_errors import (
    ReleaseMissingError,
    RunnerConflictError,
    RunnerMissingError,
    RunnerNotRunningError,
    RunnerUnstartableError,
)
from windlass_builder.domain.names import network_name
from windlass_builder.domain.releases import runner_digest
from windlass_builder.domain.workloads import (
    Paused,
    Runner,
    RunnerSpec,
    Running,
    Written,
)

# What the engine says where it is the image's fault; older releases do so with the status of a fault of their own.
_UNSTARTABLE = re.compile(r"unable to find (?:user|group)|executable file not found|exec: ")


class Containers:
    """All containers of an installation's runners on one engine; what the engine refuses passes as it says it."""

    def __init__(self, docker: Docker, installation: str, networks: ProjectNetworks, volumes: Volumes) -> None:
        self._docker = docker
        self._installation = installation
        self._networks = networks
        self._volumes = volumes
        self._group = AppGroup(docker)

    async def all(self) -> Sequence[Runner]:
        """Return every runner, whatever its state."""
        ours = having(self._installation, role=Role.RUNNER)
        listed = await self._docker.containers.list(all=True, filters=ours)
        found = await asyncio.gather(*(find_container(self._docker, container.id) for container in listed))
        return [await self.runner(container) for container in found if container is not None]

    async def taken_up(self, spec: RunnerSpec) -> DockerContainer | None:
        """Return the container that an earlier call made, no longer paused; None where there is none.

        Raises:
            RunnerConflictError: it was made for something else.
        """
        found = await find_container(self._docker, spec.name)
        if found is None:
            return None
        require_ours("container", spec.name, found["Config"]["Labels"], self._installation)
        if found["Config"]["Labels"].get(SPECIFICATION) != runner_digest(spec):
            raise RunnerConflictError(spec.name)
        container = self._docker.containers.container(found["Id"])
        if not (await self.runner(found)).connected:  # its network was removed: it cannot be started any more
            await delete_container(container)
            return None
        if found["State"]["Paused"]:
            await container.unpause()
        return container

    async def runner(self, container: dict[str, Any]) -> Runner:
        """Return the runner that a container of ours is, as the engine shows it."""
        runner = runner_of(self._installation, container)
        if not runner.connected or container["State"]["Running"]:
            return runner
        name = network_name(self._installation, runner.project)
        return replace(runner, connected=await self._networks.holds(name, container["NetworkSettings"]))

    async def begin(self, container: DockerContainer) -> None:
        """Start a container; one that cannot be started for its image's sake is removed.

        Raises:
            RunnerUnstartableError: it is the image's fault.
        """
        try:
            await container.start()
        except DockerError as error:
            if error.status == HTTPStatus.BAD_REQUEST or _UNSTARTABLE.search(error.message):
                await delete_container(container)
                raise RunnerUnstartableError(error.message) from error
            raise

    async def created(self, spec: RunnerSpec) -> DockerContainer:
        """Make the container of a runner, at an address of its own.

        Raises:
            ReleaseMissingError, RunnerUnstartableError: its image is gone, or says of no program.
        """
        await self._volumes.require_ours(spec.mounts)
        network = await self._networks.ensure(spec.project)
        address = await self._networks.free_address(network)
        try:
            user = (await self._docker.images.inspect(spec.release))["Config"].get("User") or ""
            configuration = runner_configuration(self._installation, spec, network, address, user)
            configuration["HostConfig"] |= await self._group.settings()
            return await self._docker.containers.create(configuration, name=spec.name)
        except DockerError as error:
            if is_missing(error):
                raise ReleaseMissingError(spec.release) from error
            if error.status == HTTPStatus.BAD_REQUEST:  # an image that says of no program
                raise RunnerUnstartableError(error.message) from error
            raise

    async def switch(
        self,
        name: str,
        operation: Callable[[DockerContainer], Awaitable[None]],
        wanted: type[Paused | Running],
    ) -> None:
        """Pause or resume; where the engine refuses, the state that is wanted may be there already."""
        container = self._docker.containers.container((await self.required(name))["Id"])
        try:
            await operation(container)
        except DockerError as error:
            state = (await self.runner(await self.required(name))).state
            if isinstance(state, wanted):
                return
            if not isinstance(state, Paused | Running):
                raise RunnerNotRunningError(name) from error
            raise

    async def required(self, name: str) -> dict[str, Any]:
        """Return the container of that name.

        Raises:
            RunnerMissingError: there is none of this installation.
        """
        found = await self.ours(name)
        if found is None:
            raise RunnerMissingError(name)
        return found

    async def ours(self, name: str) -> dict[str, Any] | None:
        """Return the container of that name; None where there is none of this installation."""
        found = await find_container(self._docker, name)
        return found if found is not None and is_ours(found["Config"]["Labels"], self._installation) else None

    async def written(self) -> Sequence[Written]:
        """Return how many bytes each running container wrote outside of its volumes."""
        ours = having(self._installation, role=Role.RUNNER)
        return [
            Written(
                runner=container["Names"][0].removeprefix("/"),
                deployment=UUID(container["Labels"][DEPLOYMENT]),
                size=_written(container),
            )
            for container in await self._docker.containers.list(filters=ours, size=1)
        ]

    async def written_by(self, name: str) -> int:
        """Return how many bytes one container wrote.

        Raises:
            RunnerMissingError: there is none of that name.
        """
        try:
            found = await self._docker.containers.container(name).show(size=True)
        except DockerError as error:
            if is_missing(error):
                raise RunnerMissingError(name) from error
            raise
        return int(found.get("SizeRw", 0))


def _written(container: DockerContainer) -> int:
    try:
        return int(container["SizeRw"])
    except KeyError:  # the engine leaves out what is nothing
        return 0
