"""One network per project, with a subnet that we choose and addresses that we hand out.

The engine would give a restarted container another's address: a route that still points there would reach a stranger.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any
from uuid import UUID

from aiodocker import Docker, DockerError

from windlass_builder.adapters.docker.engine import is_missing
from windlass_builder.adapters.docker.labels import Role, having, labels
from windlass_builder.adapters.docker.ownership import require_ours
from windlass_builder.adapters.rotation import Rotation
from windlass_builder.application.locks import Locks
from windlass_builder.application.runtime_errors import AddressesExhaustedError
from windlass_builder.domain.names import network_name

_PREFIX = 24
# Of the 256 addresses of a subnet: .1 is the gateway, these are for runners, the last quarter is the engine's (builds).
_RUNNER_HOSTS = range(2, 192)
_ENGINE_PART = 192


@dataclass(frozen=True, slots=True)
class ProjectNetwork:
    name: str
    subnet: IPv4Network


class ProjectNetworks:
    """The networks of one installation, their subnets taken from the `pool`. Raises DockerError for the engine's."""

    def __init__(self, docker: Docker, installation: str, pool: IPv4Network, rotation: Rotation, locks: Locks) -> None:
        self._docker = docker
        self._installation = installation
        self._pool = pool
        self._rotation = rotation
        self._locks = locks

    async def ensure(self, project: UUID) -> ProjectNetwork:
        """Return the project's network, made if need be.

        Raises: AddressesExhaustedError, where no subnet of the pool is free; NameTakenError.
        """
        name = network_name(self._installation, project)
        async with self._locks.alone(name):
            return await self._find(name) or await self._create(name, project)

    async def free_address(self, network: ProjectNetwork) -> IPv4Address:
        """Return the address that was used longest ago, remembered as used.

        Raises: AddressesExhaustedError, where the project has a runner at each.
        """
        containers = await self._docker.containers.list(all=True, filters={"network": [network.name]})
        taken = {_host_number(container["NetworkSettings"], network) for container in containers}
        number = self._rotation.next(network.name, _RUNNER_HOSTS, taken)
        if number is None:
            raise AddressesExhaustedError(
                f"The project already has {len(_RUNNER_HOSTS)} runners on this node; remove some before starting more."
            )
        return network.subnet[number]

    async def remove(self, name: str) -> None:
        """Remove the network of that name; nothing happens where there is none."""
        try:
            await (await self._docker.networks.get(name)).delete()
        except DockerError as error:
            if not is_missing(error):
                raise
        self._rotation.forget(name)

    async def holds(self, name: str, settings: dict[str, Any]) -> bool:
        """Return whether a container with these settings can be started in the network of that name as it is now.

        One that was made anew under the name is another network, but not to a container that never ran: its network is
        only looked up, by its name, when it is started.
        """
        known = settings["Networks"].get(name)
        try:
            details = await (await self._docker.networks.get(name)).show()
        except DockerError as error:
            if is_missing(error):
                return False
            raise
        return known is not None and known["NetworkID"] in {"", details["Id"]}

    async def _find(self, name: str) -> ProjectNetwork | None:
        try:
            details = await (await self._docker.networks.get(name)).show()
        except DockerError as error:
            if is_missing(error):
                return None
            raise
        require_ours("network", name, details["Labels"], self._installation)
        return ProjectNetwork(name, next(iter(_subnets([details]))))

    async def _create(self, name: str, project: UUID) -> ProjectNetwork:
        taken = [*_subnets(await self._docker.networks.list()), *_host_routes()]
        for subnet in self._subnets_for(project):
            if any(subnet.overlaps(other) for other in taken):
                continue
            try:
                await self._docker.networks.create(self._configuration(name, project, subnet))
            except DockerError as error:
                if not _overlaps(error):
                    raise
                continue  # another program took the subnet a moment ago
            return ProjectNetwork(name, subnet)
        raise AddressesExhaustedError(
            f"No subnet of {self._pool} is free for another project; remove projects or choose a larger pool."
        )

    def _subnets_for(self, project: UUID) -> Iterable[IPv4Network]:
        """Yield the subnets of the pool, from the project's own on: it gets that again, and no other one soon."""
        count = 2 ** (_PREFIX - self._pool.prefixlen)
        for number in range(count):
            first = int(self._pool.network_address) + (project.int + number) % count * 2 ** (32 - _PREFIX)
            yield IPv4Network((first, _PREFIX))

    def _configuration(self, name: str, project: UUID, subnet: IPv4Network) -> dict[str, Any]:
        ours = {
            "Subnet": str(subnet),
            "Gateway": str(subnet[1]),
            "IPRange": f"{subnet[_ENGINE_PART]}/{_PREFIX + 2}",
        }
        return {
            "Name": name,
            "CheckDuplicate": True,  # names of networks are not unique otherwise
            "Driver": "bridge",
            "IPAM": {"Driver": "default", "Config": [ours]},
            "Labels": labels(self._installation, Role.NETWORK, project),
        }


def network_filter(installation: str, project: UUID | None = None) -> dict[str, list[str]]:
    return having(installation, role=Role.NETWORK, project=project)


def fixed_address(settings: dict[str, Any], network: str) -> IPv4Address | None:
    """Return the address that the container was given in the network, whether it runs or not."""
    ipam = settings["Networks"].get(network, {}).get("IPAMConfig") or {}
    address = ipam.get("IPv4Address")
    return None if address is None else IPv4Address(address)


def _host_number(settings: dict[str, Any], network: ProjectNetwork) -> int:
    address = fixed_address(settings, network.name)
    return 0 if address is None else int(address) - int(network.subnet.network_address)


def _subnets(networks: Iterable[dict[str, Any]]) -> Iterable[IPv4Network]:
    for network in networks:
        for part in network["IPAM"]["Config"] or []:
            if "." in part.get("Subnet", ""):
                yield IPv4Network(part["Subnet"])


def _host_routes(table: Path = Path("/proc/net/route")) -> Iterable[IPv4Network]:
    """Yield the networks that this machine reaches in other ways: to take one of them would cut it off from there."""
    if not table.exists():  # not Linux: the engine lives in a virtual machine with routes of its own
        return
    for line in table.read_text().splitlines()[1:]:
        columns = line.split()
        destination, mask = (int.from_bytes(bytes.fromhex(columns[column]), "little") for column in (1, 7))
        if mask:  # the default route overlaps everything
            yield IPv4Network((destination, mask.bit_count()))


def _overlaps(error: DockerError) -> bool:
    # 403 is the engine's answer to a subnet that overlaps, and to nothing else that a creation could do wrong.
    return error.status == HTTPStatus.FORBIDDEN
