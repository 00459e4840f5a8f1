"""Deleting what a node keeps of a project and no deployment needs: retired first, looked at again, then deleted.

Each step may be the last one of a life. A release that was retired and not deleted is deleted the next time; one that
was deleted and not said to be is said to be the next time. Nothing is deleted by what the rows said before the log's
head was read: whoever wants a release says so in the log first, and is seen; whoever comes later finds it gone.
"""

from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from functools import partial

import structlog

from windlass_builder.application.containers import Containers
from windlass_builder.application.deleting import Deletions
from windlass_builder.application.intents import Intent
from windlass_builder.application.locks import deleting
from windlass_builder.application.looking import Found, Looking
from windlass_builder.application.runtime_errors import EngineError
from windlass_builder.domain.belongings import SourceKind, Thrift
from windlass_builder.domain.names import volume_name
from windlass_builder.domain.workloads import Kept
from windlass_contracts.events import ReleaseRetired, StorageReclaimed
from windlass_contracts.ids import ProjectId
from windlass_eventlog.appender import Appender
from windlass_eventlog.errors import AWAY, ConflictError
from windlass_eventlog.failpoints import reach

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Collecting:
    """Collects what a node keeps for one project after the other."""

    append: Appender
    looking: Looking

    async def collect(self, project: ProjectId, thrift: Thrift = Thrift.USUAL) -> list[StorageReclaimed]:
        """Retire and delete what nothing needs of the project on this node; return what went.

        Raises: ConflictError, EngineError, LogUnavailableError, NotReachedError.
        """
        async with self._containers.node.locks.alone(f"collecting of {project}"):
            found = await self._finished(project, thrift)
            if found is None:
                return []
            if found.going or found.spared or found.project.releases.owed:
                await self._retire(found)
                return await self._delete(project, thrift)
            return []

    async def finish(self) -> None:
        """Say what earlier lives deleted and could not say; before anything is made that has the same name.

        Raises: as `collect`.
        """
        for project in {intent.project for intent in self._containers.node.intents.noted()}:
            async with self._containers.node.locks.alone(f"collecting of {project}"):
                await self._finished(project, Thrift.USUAL)

    @property
    def _containers(self) -> Containers:
        return self.looking.containers

    async def _finished(self, project: ProjectId, thrift: Thrift) -> Found | None:
        """Return what there is of the project, once all is said that an earlier life deleted."""
        found = await self.looking.at(project, thrift)
        noted = [one for one in self._containers.node.intents.noted() if one.project == project and _is_ours(one)]
        if found is None or not noted:
            return found
        deletions = self._deletions(found)
        present = {one.reference for one in found.kept} | {one.name for one in found.belongings}
        if any(one.event.kind == "volume" for one in noted):
            installation = self._containers.node.installation
            present |= {volume_name(installation, one.volume) for one in await self._containers.runtime.volumes()}
        for intent in noted:
            if intent.event.name in present:  # not done: it is judged anew
                self._containers.node.intents.forget(intent)
            else:
                await deletions.finish(intent)
        return await self.looking.at(project, thrift)

    async def _retire(self, found: Found) -> None:
        """Say of what may go that nothing may start from it any more."""
        sizes = {one.reference: one.size for one in found.kept}
        deletions = self._deletions(found)
        for release, why in found.verdict.go.items():
            if not found.project.retired(release):
                node = self._containers.node.name
                await deletions.say(
                    ReleaseRetired(release=release, node=node, why=why, size_bytes=sizes[release]), release
                )
                reach("after_retired", "release")

    async def _delete(self, project: ProjectId, thrift: Thrift) -> list[StorageReclaimed]:
        """Delete what was retired, and all else, if the log as it is by now has nothing against it."""
        async with self._containers.node.locks.alone(deleting(project)):
            found = await self.looking.at(project, thrift)
            if found is None:
                return []
            deletions, gone = self._deletions(found), list[StorageReclaimed]()
            for event in self._already_gone(found):
                await deletions.say(event, event.name)
                gone.append(event)
            for kept, why in found.going:
                if not kept.layer and not found.project.retired(kept.reference):
                    continue  # it became needless a moment ago: it is retired the next time
                event = self._reclaimed(kind_of(kept), kept.reference, why, kept.size)
                delete = partial(self._containers.runtime.remove_release, kept.reference)
                if await (deletions.other if kept.layer else deletions.release)(event, delete):
                    gone.append(event)
            return gone + await self._spare(found, deletions)

    async def _spare(self, found: Found, deletions: Deletions) -> list[StorageReclaimed]:
        runtime, gone = self._containers.runtime, list[StorageReclaimed]()
        for belonging, why in found.spared:
            measured = await runtime.measured(belonging)
            event = self._reclaimed(measured.kind, measured.name, why, measured.size)
            if await deletions.other(event, partial(runtime.remove_belonging, measured)):
                gone.append(event)
        return gone

    def _already_gone(self, found: Found) -> Iterable[StorageReclaimed]:
        """Yield what an earlier life deleted, and died before it said so."""
        present = {one.reference for one in found.kept}
        for release, why in found.project.releases.owed:
            if release not in present:
                yield self._reclaimed("release", release, why, None)

    def _reclaimed(self, kind: str, name: str, why: str, size: int | None) -> StorageReclaimed:
        return StorageReclaimed(node=self._containers.node.name, kind=kind, name=name, why=why, freed_bytes=size)

    def _deletions(self, found: Found) -> Deletions:
        return Deletions(self.append, self._containers.node, found.known.key, found.known.after)


def kind_of(kept: Kept) -> str:
    return "layer" if kept.layer else "release"


async def attempted(collection: Awaitable[object]) -> None:
    """Collect, or put it off where others write about the project, or engine or disk refuse: it is found again."""
    try:
        await collection
    except (ConflictError, EngineError, OSError, *AWAY) as error:
        _log.warning("collecting.put_off", reason=str(error))


def _is_ours(intent: Intent) -> bool:
    """Tell whether it is about what the runtime keeps."""
    return intent.event.kind not in set(SourceKind)
