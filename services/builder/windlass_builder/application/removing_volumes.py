"""Deleting a volume because somebody asked for it: what is in it is nowhere else, so nothing else ever does."""

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from windlass_builder.application.collecting import Collecting
from windlass_builder.application.deleting import Deletions
from windlass_builder.application.runtime import Runtime
from windlass_builder.application.runtime_errors import EngineError
from windlass_builder.domain.names import volume_name
from windlass_builder.domain.workloads import Volume, VolumeFound
from windlass_contracts.events import StorageReclaimed
from windlass_contracts.ids import ProjectId
from windlass_eventlog.errors import EventLogError
from windlass_eventlog.operations import Collectable, Collected, Kind, OfVolumes, Report, VolumeNamed

KIND, WHY = "volume", "asked"


class CannotRemoveError(EventLogError):
    """The volume is not there, or in use, or the engine is away; nothing was deleted."""


@dataclass(frozen=True, slots=True)
class RemovingVolumes:
    """Removes volumes of this node, each with its event."""

    collecting: Collecting

    @property
    def operations(self) -> dict[Kind, OfVolumes]:
        return {Kind.REMOVE_VOLUME: OfVolumes(self.remove)}

    async def remove(self, report: Report, project: UUID, wanted: VolumeNamed) -> Collected:
        """Delete the volume unless something has it mounted, and return what went.

        Raises: EventLogError, also where it cannot be done.
        """
        report(f"deletes the volume {wanted.name}", 0, 1)
        volume = Volume(project, wanted.environment, wanted.name)
        containers = self.collecting.looking.containers
        async with containers.node.locks.alone(f"collecting of {project}"):
            try:
                event = self._event(await self._found(volume))
                await self._delete(volume, event)
            except EngineError as error:
                raise CannotRemoveError(str(error)) from error
        item = Collectable(project=project, kind=KIND, name=event.name, why=WHY, size=event.freed_bytes)
        return Collected(items=(item,))

    async def _found(self, volume: Volume) -> VolumeFound:
        node = self.collecting.looking.containers.node.name
        found = next((one for one in await self._runtime.volumes() if one.volume == volume), None)
        if found is None:
            raise CannotRemoveError(f"The node {node} has no volume {volume.name} in that environment.")
        if found.users:
            raise CannotRemoveError(
                f"The volume {volume.name} is mounted by {', '.join(found.users[:5])}. Take it out of the project's "
                "settings and deploy; it is free once the earlier containers are gone."
            )
        return found

    async def _delete(self, volume: Volume, event: StorageReclaimed) -> None:
        looking, project = self.collecting.looking, ProjectId(volume.project)
        await looking.containers.caught_up(await looking.containers.head())
        known = await looking.known(project)
        if known is None:
            raise CannotRemoveError("The log knows nothing of that project.")
        deletions = Deletions(self.collecting.append, looking.containers.node, known.key, known.after)
        if not await deletions.other(event, partial(self._runtime.remove_volume, volume)):
            raise CannotRemoveError(f"The volume {volume.name} has come into use in this moment.")

    def _event(self, found: VolumeFound) -> StorageReclaimed:
        node = self.collecting.looking.containers.node
        name = volume_name(node.installation, found.volume)
        return StorageReclaimed(node=node.name, kind=KIND, name=name, why=WHY, freed_bytes=found.size)

    @property
    def _runtime(self) -> Runtime:
        return self.collecting.looking.containers.runtime
