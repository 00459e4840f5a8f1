"""Deleting sources that no deployment needs any more. Projects share them: all are looked at before one goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import structlog

from windlass_builder.application.deleting import Deletions
from windlass_builder.application.looking import Known, Looking
from windlass_builder.application.source import SourceError
from windlass_builder.application.source_store import SourceStore
from windlass_builder.domain.belongings import SourceKind, StoredSource, Thrift
from windlass_contracts.events import StorageReclaimed
from windlass_contracts.ids import ProjectId
from windlass_eventlog.appender import Appender
from windlass_eventlog.clock import Clock

_log = structlog.get_logger(__name__)
_ALONE = "collecting of sources"


@dataclass(frozen=True, slots=True)
class Spared:
    """A source that may go, by which rule, and the project that named it last; None where none ever did."""

    source: StoredSource
    why: str
    project: ProjectId | None


@dataclass(slots=True)
class _References:
    """Who names sources: the last project that did, and the names that have to stay."""

    last: dict[str, tuple[int, Known]]
    wanted: set[str]

    def count(self, known: Known, stores: Sequence[SourceStore]) -> None:
        staying = known.project.sources_of
        for deployment, row in known.project.deployments.items():
            for name in (name for store in stores for name in store.names_of(row.source, row.project)):
                if deployment in staying:
                    self.wanted.add(name)
                if row.requested_sequence > self.last.get(name, (0, known))[0]:
                    self.last[name] = row.requested_sequence, known


@dataclass(slots=True)
class CollectingSources:
    """Collects what the stores of this node have."""

    append: Appender
    looking: Looking
    stores: Sequence[SourceStore]
    clock: Clock

    async def collect(self, thrift: Thrift = Thrift.USUAL, project: UUID | None = None) -> list[Spared]:
        """Delete what may go, of one project's where it is named; return what went.

        Raises: ConflictError, LogUnavailableError, NotReachedError.
        """
        async with self.looking.containers.node.locks.alone(_ALONE):
            await self._finish()
            for store in self.stores:
                await store.tidy()
            spared, known = await self._judged(thrift, project)
            deletions = {key: self._deletions(one) for key, one in known.items()}
            return [one for one in spared if await self._deleted(one, deletions)]

    async def foretell(self, project: UUID | None = None) -> list[Spared]:
        """Return what `collect` would delete.

        Raises: as `collect`.
        """
        spared, _ = await self._judged(Thrift.USUAL, project)
        return spared

    async def finish(self) -> None:
        """Say what earlier lives deleted and could not say.

        Raises: as `collect`.
        """
        async with self.looking.containers.node.locks.alone(_ALONE):
            await self._finish()

    async def _finish(self) -> None:
        intents = self.looking.containers.node.intents
        noted = [one for one in intents.noted() if one.event.kind in set(SourceKind)]
        present = {one.name for store in self.stores for one in (await store.all() if noted else ())}
        for intent in noted:
            await self._caught_up()
            known = await self.looking.known(intent.project)
            if known is None or intent.event.name in present:  # not done: it is judged anew
                intents.forget(intent)
            else:
                await self._deletions(known).finish(intent)

    async def _judged(self, thrift: Thrift, project: UUID | None) -> tuple[list[Spared], dict[ProjectId | None, Known]]:
        """Return what may go by the log as it is now, and what is known of the projects that it was of."""
        present = [one for store in self.stores for one in await store.all()]
        await self._caught_up()
        references = _References({}, set())
        for one in await self.looking.projects():
            if (known := await self.looking.known(one)) is not None:
                references.count(known, self.stores)
        spared, owners, now = list[Spared](), dict[ProjectId | None, Known](), self.clock()
        for source in present:
            last = references.last.get(source.name)
            wanted = source.name in references.wanted
            why = source.rule(named=last is not None, wanted=wanted, thrift=thrift, now=now)
            owner = None if last is None else ProjectId(last[1].key.id)
            if why is not None and project in {None, owner}:
                spared.append(Spared(source, why, owner))
                if last is not None:
                    owners[owner] = last[1]
        return spared, owners

    async def _deleted(self, one: Spared, deletions: dict[ProjectId | None, Deletions]) -> bool:
        source = one.source
        (store,) = (store for store in self.stores if store.kind is source.kind)
        if one.project is None:
            return await _removed(store, source)
        event = StorageReclaimed(
            node=self.looking.containers.node.name,
            kind=source.kind,
            name=source.name,
            why=one.why,
            freed_bytes=source.size,
        )
        return await deletions[one.project].other(event, partial(store.remove, source.name))

    async def _caught_up(self) -> None:
        await self.looking.containers.caught_up(await self.looking.containers.head())

    def _deletions(self, known: Known) -> Deletions:
        return Deletions(self.append, self.looking.containers.node, known.key, known.after)


async def _removed(store: SourceStore, source: StoredSource) -> bool:
    """Delete what no project names: the log has nowhere to say so, the service's own does."""
    try:
        await store.remove(source.name)
    except SourceError as error:
        _log.warning("collecting.not_deleted", kind=source.kind, name=source.name, reason=str(error))
        return False
    _log.info("collecting.deleted", kind=source.kind, name=source.name, freed_bytes=source.size)
    return True
