"""What the engine has for a project beside releases and volumes: its cache, its network, and images without a name."""

from http import HTTPStatus
from uuid import UUID

from aiodocker import Docker, DockerError

from windlass_builder.adapters.docker.engine import is_missing
from windlass_builder.adapters.docker.labels import Role, having
from windlass_builder.adapters.docker.networks import ProjectNetworks
from windlass_builder.domain.belongings import Belonging, BelongingKind
from windlass_builder.domain.names import cache_name, network_name


class Belongings:
    """The belongings of an installation's projects: what bears its label, and the name that it gives such a thing."""

    def __init__(self, docker: Docker, installation: str, networks: ProjectNetworks) -> None:
        self._docker = docker
        self._installation = installation
        self._networks = networks

    async def all(self, project: UUID) -> list[Belonging]:
        """Return what there is, images measured.

        Raises: DockerError.
        """
        found = list[Belonging]()
        caches = await self._docker.volumes.list(filters=having(self._installation, role=Role.CACHE, project=project))
        if cache_name(self._installation, project) in {volume["Name"] for volume in caches["Volumes"] or []}:
            found.append(Belonging(BelongingKind.CACHE, cache_name(self._installation, project), project))
        networks = await self._docker.networks.list(
            filters=having(self._installation, role=Role.NETWORK, project=project)
        )
        if network_name(self._installation, project) in {network["Name"] for network in networks}:
            found.append(Belonging(BelongingKind.NETWORK, network_name(self._installation, project), project))
        unnamed = {**having(self._installation, project=project), "dangling": ["true"]}
        for image in await self._docker.images.list(filters=unnamed):
            found.append(Belonging(BelongingKind.IMAGE, image["Id"], project, image["Size"]))
        return found

    async def measured(self, belonging: Belonging) -> Belonging:
        """Return it with its size; the engine measures all volumes for that of a cache.

        Raises: DockerError.
        """
        if belonging.kind is not BelongingKind.CACHE:
            return belonging
        url = f"{self._docker.docker_host}/{self._docker.api_version}/system/df"
        async with self._docker.session.get(url, params={"type": "volume"}) as answer:
            body = await answer.json()
            if answer.status != HTTPStatus.OK:
                raise DockerError(answer.status, body["message"])
        sizes = {volume["Name"]: volume["UsageData"]["Size"] for volume in body["Volumes"] or []}
        size = sizes.get(belonging.name, -1)
        return Belonging(belonging.kind, belonging.name, belonging.project, size if size >= 0 else None)

    async def remove(self, belonging: Belonging) -> None:
        """Delete it. Nothing happens where it is gone.

        Raises: DockerError, also where something uses it.
        """
        try:
            match belonging.kind:
                case BelongingKind.CACHE:
                    await (await self._docker.volumes.get(belonging.name)).delete()
                case BelongingKind.NETWORK:
                    await self._networks.remove(belonging.name)
                case BelongingKind.IMAGE:
                    await self._docker.images.delete(belonging.name)
        except DockerError as error:
            if not is_missing(error):
                raise
