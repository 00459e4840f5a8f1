"""What operators ask for: what nothing needs is deleted now, or only listed."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from windlass_builder.application.collecting import Collecting, kind_of
from windlass_builder.application.collecting_sources import CollectingSources, Spared
from windlass_builder.application.runtime_errors import EngineError
from windlass_builder.domain.belongings import Belonging
from windlass_contracts.ids import ProjectId
from windlass_eventlog.errors import EventLogError
from windlass_eventlog.operations import Collectable, Collected, Kind, OfProjects, Report

_MOST_TOLD = 500


class CannotCollectError(EventLogError):
    """The engine was away; what went before is in the log."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Collects because somebody asked for it: of all projects, or of one."""

    collecting: Collecting
    sources: CollectingSources

    @property
    def operations(self) -> dict[Kind, OfProjects]:
        return {Kind.COLLECT: OfProjects(self.collect), Kind.COLLECTABLE: OfProjects(self.foretell)}

    async def collect(self, report: Report, project: UUID | None = None) -> Collected:
        """Delete, and return what went.

        Raises: EventLogError, also where the engine is away.
        """
        gone = list[Collectable]()
        async for one in self._each("deletes what nothing needs", report, project):
            with _engine_named():
                collected = await self.collecting.collect(one)
            gone += (_item(one, event.kind, event.name, event.why, event.freed_bytes) for event in collected)
        report("deletes sources that nothing needs", 0, 0)
        gone += map(_source, await self.sources.collect(project=project))
        return _outcome(gone)

    async def foretell(self, report: Report, project: UUID | None = None) -> Collected:
        """Return what `collect` would delete.

        Raises: EventLogError, also where the engine is away.
        """
        going = list[Collectable]()
        async for one in self._each("looks what nothing needs", report, project):
            with _engine_named():
                found = await self.collecting.looking.at(one)
                spared = [] if found is None else [await self._measured(*rest) for rest in found.spared]
            for kept, why in () if found is None else found.going:
                going.append(_item(one, kind_of(kept), kept.reference, why, kept.size))
            going += (_item(one, rest.kind, rest.name, why, rest.size) for rest, why in spared)
        report("looks which sources nothing needs", 0, 0)
        going += map(_source, await self.sources.foretell(project))
        return _outcome(going)

    async def _measured(self, belonging: Belonging, why: str) -> tuple[Belonging, str]:
        return await self.collecting.looking.containers.runtime.measured(belonging), why

    async def _each(self, doing: str, report: Report, project: UUID | None) -> AsyncIterator[ProjectId]:
        projects = await self.collecting.looking.projects() if project is None else [ProjectId(project)]
        for done, one in enumerate(projects):
            report(doing, done, len(projects))
            yield one


def _item(project: ProjectId | None, kind: str, name: str, why: str, size: int | None) -> Collectable:
    return Collectable(project=project, kind=kind, name=name, why=why, size=size)


def _source(one: Spared) -> Collectable:
    return _item(one.project, one.source.kind, one.source.name, one.why, one.source.size)


def _outcome(items: Sequence[Collectable]) -> Collected:
    return Collected(items=tuple(items[:_MOST_TOLD]), left_out=max(0, len(items) - _MOST_TOLD))


@contextmanager
def _engine_named() -> Iterator[None]:
    """Let who asked read what the engine said."""
    try:
        yield
    except EngineError as error:
        raise CannotCollectError(str(error)) from error
