"""The use cases of volumes: what the nodes keep of projects, and its removal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from windlass_contracts.subjects import Service
from windlass_eventlog.nodes import volume_of
from windlass_eventlog.operations import Kind, Request, VolumeNamed
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.operating import Operating
from windlass_gateway.domain.refusals import VolumeMountedError, VolumeNotFoundError


@dataclass(frozen=True, slots=True)
class KeptVolume:
    """A volume as a node said at `at`: `size` is in bytes, `mounted` names deployments whose containers have it.

    `environment` is its name, or its id where the project has it no more.
    """

    node: str
    at: datetime
    project: UUID
    slug: str
    environment: str
    name: str
    size: int
    mounted: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Volumes:
    """The volumes of a team's projects."""

    gateway: Gateway

    async def all(self, finder: Finder, project: UUID | None = None) -> Sequence[KeptVolume]:
        """Return those of all projects of the team, or of one."""
        found = []
        for node, state in self.gateway.nodes.states.items():
            for key, size in state.volumes.items():
                known = volume_of(key)
                if known is not None and project in (None, known[0]):
                    found.append((node, state, key, known, size))
        kept = [
            KeptVolume(node, state.at, known[0], slug, environment, known[2], size, state.mounted.get(key, ()))
            for node, state, key, known, size in found
            if (slug := await self._slug(finder, known[0])) is not None
            for environment in [await self._environment(finder, known[0], known[1])]
        ]
        return sorted(kept, key=lambda one: (one.slug, one.environment, one.name, one.node))

    async def remove(self, caller: Caller, operating: Operating, project: str, environment: str, name: str) -> Request:
        """Ask the builder to delete a volume for ever.

        Raises:
            Refusal: the caller may not, there is none, or it is mounted.
            EventLogError: the bucket did not answer.
        """
        caller.demand(Permission.ADMINISTER)
        finder = Finder(self.gateway.rows, caller.team)
        found = await finder.project(project)
        there = await finder.environment(found, environment)
        kept = await self.all(finder, found.key)
        volume = next((one for one in kept if (one.environment, one.name) == (there.name, name)), None)
        if volume is None:
            raise VolumeNotFoundError(name)
        if volume.mounted:
            raise VolumeMountedError(name, volume.mounted[0].hex[:8])
        wanted = VolumeNamed(environment=there.id, name=name)
        return await operating.ask_about(caller, Service.BUILDER, Kind.REMOVE_VOLUME, found.key, wanted)

    async def _slug(self, finder: Finder, project: UUID) -> str | None:
        found = await finder.project_by_id(project)
        return None if found is None else found.row.slug

    async def _environment(self, finder: Finder, project: UUID, environment: UUID) -> str:
        known = (await finder.environments(project)).all
        return next((one.name for one in known if one.id == environment), str(environment))
