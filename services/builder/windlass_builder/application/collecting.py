"""Deleting what a node keeps of a project and no deployment needs: retired first, looked at again, then deleted.

Each step may be the last one of a life. A release that was retired and not deleted is deleted the next time; one that
was deleted and not said to be is said to be the next time. Nothing is deleted by what the rows said before the log's
head was read: whoever wants a release says so in the log first, and is seen; whoever comes later finds it gone.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from windlass_builder.application.journal import ACTOR
from windlass_builder.application.locks import deleting
from windlass_builder.application.looking import Found, Looking
from windlass_builder.application.runtime_errors import EngineError
from windlass_builder.domain.retention import RETENTION
from windlass_builder.domain.workloads import Kept
from windlass_contracts.event import Event
from windlass_contracts.events import ReleaseRetired, StorageReclaimed
from windlass_contracts.ids import EventId, ProjectId, derived
from windlass_contracts.subjects import AggregateKey
from windlass_eventlog.appender import Appender
from windlass_eventlog.failpoints import reach
from windlass_eventlog.log import Expected

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Collecting:
    append: Appender
    looking: Looking

    async def collect(self, project: ProjectId) -> list[StorageReclaimed]:
        """Retire and delete what nothing needs of the project on this node; return what went.

        Raises: ConflictError, EngineError, LogUnavailableError, NotReachedError.
        """
        async with self.looking.containers.node.locks.alone(f"collecting of {project}"):
            found = await self.looking.at(project)
            if found is None:
                return []
            if found.going or found.project.releases.owed:
                await self._retire(found)
                return await self._delete(project)
            return []

    async def _retire(self, found: Found) -> None:
        """Say of what may go that nothing may start from it any more."""
        sizes = {one.reference: one.size for one in found.kept}
        after = found.after
        for release, why in found.verdict.go.items():
            if not found.project.retired(release):
                event = ReleaseRetired(
                    release=release, node=self.looking.containers.node.name, why=why, size_bytes=sizes[release]
                )
                after = await self._say(found.key, event, after, release)
                reach("after_retired", "release")

    async def _delete(self, project: ProjectId) -> list[StorageReclaimed]:
        """Delete what was retired, if the log as it is by now has nothing against it."""
        async with self.looking.containers.node.locks.alone(deleting(project)):
            found = await self.looking.at(project)
            if found is None:
                return []
            after, gone = found.after, list[StorageReclaimed]()
            for event in self._already_gone(found):
                after = await self._say(found.key, event, after, event.name)
                gone.append(event)
            for kept, why in found.going:
                if not kept.layer and not found.project.retired(kept.reference):
                    continue  # it became needless a moment ago: it is retired the next time
                if not await self._deleted(kept.reference):
                    continue
                reach("after_deleted", "release")
                event = self._reclaimed(kept.reference, why, kept)
                after = await self._say(found.key, event, after, kept.reference)
                gone.append(event)
            return gone

    async def _deleted(self, reference: str) -> bool:
        """Delete it; False where something still uses it that the log does not know: it keeps nothing else waiting."""
        try:
            await self.looking.containers.runtime.remove_release(reference)
        except EngineError as error:
            _log.warning("collecting.not_deleted", release=reference, reason=str(error))
            return False
        return True

    def _already_gone(self, found: Found) -> Iterable[StorageReclaimed]:
        """Yield what an earlier life deleted, and died before it said so."""
        present = {one.reference for one in found.kept}
        for release in (one for one in found.project.releases.owed if one not in present):
            yield self._reclaimed(release, RETENTION, None)

    def _reclaimed(self, name: str, why: str, kept: Kept | None) -> StorageReclaimed:
        return StorageReclaimed(
            node=self.looking.containers.node.name,
            kind="release" if kept is None else kind_of(kept),
            name=name,
            why=why,
            freed_bytes=None if kept is None else kept.size,
        )

    async def _say(self, key: AggregateKey, event: Event, after: int, what: str) -> int:
        identity = EventId(derived("collected", event.TYPE, str(key.id), what, str(after)))
        return await self.append.commanded(key, event, Expected.at(key, after), actor=ACTOR, id=identity)


def kind_of(kept: Kept) -> str:
    return "layer" if kept.layer else "release"
