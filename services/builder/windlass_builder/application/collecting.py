"""Deleting what a node keeps of a project and no deployment needs: retired first, looked at again, then deleted.

Each step may be the last one of a life. A release that was retired and not deleted is deleted the next time; one that
was deleted and not said to be is said to be the next time. Nothing is deleted by what the rows said before the log's
head was read: whoever wants a release says so in the log first, and is seen; whoever comes later finds it gone.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from windlass_builder.application.containers import Containers
from windlass_builder.application.journal import ACTOR
from windlass_builder.application.locks import deleting
from windlass_builder.application.projections import DEPLOYMENTS, RELEASES, ROUTES, RUNS
from windlass_builder.application.runtime_errors import EngineError
from windlass_builder.domain.retention import RETENTION, UNREFERENCED, Project, Releases, Verdict, judge
from windlass_builder.domain.workloads import Kept
from windlass_contracts.event import Event
from windlass_contracts.events import ReleaseRetired, StorageReclaimed
from windlass_contracts.ids import EventId, ProjectId, TeamId, derived
from windlass_contracts.subjects import Aggregate, AggregateKey
from windlass_eventlog.appender import Appender
from windlass_eventlog.errors import AWAY, ConflictError, EventLogError
from windlass_eventlog.failpoints import reach
from windlass_eventlog.log import Expected
from windlass_eventlog.operations import Collectable, Collected, Report
from windlass_eventlog.reactor import WakeUp

_log = structlog.get_logger(__name__)

QUIET = timedelta(minutes=1)
"""How long after a change the project is looked at: one push brings several, and none is in a hurry."""

_DAY = timedelta(days=1)
_MOST_TOLD = 500


class CannotCollectError(EventLogError):
    """The engine was away; what went before is in the log."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a project and what this node has of it, at one moment; events are appended behind `after`."""

    key: AggregateKey
    after: int
    project: Project
    kept: Sequence[Kept]

    @property
    def verdict(self) -> Verdict:
        return judge(self.project, (one.reference for one in self.kept if not one.layer))

    @property
    def going(self) -> Mapping[str, str]:
        """What may go, releases before the layers that they were built on, each with the rule that it falls under."""
        verdict = self.verdict
        used = {layer for one in self.kept if one.reference in verdict.stay for layer in one.on}
        layers = [one.reference for one in self.kept if one.layer and one.reference not in used]
        return {**verdict.go, **({} if self.project.builds else dict.fromkeys(layers, UNREFERENCED))}


@dataclass(slots=True)
class Collecting:
    append: Appender
    containers: Containers
    _wanted: set[ProjectId] = field(default_factory=set)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, wake: WakeUp) -> None:
        """Remember that something changed for the project."""
        self._wanted.add(wake.recorded.project)
        self._woken.set()

    async def run(self) -> None:
        """Look at all projects now and every day, and at each a while after it changed."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if loop.time() >= due:
                due = loop.time() + _DAY.total_seconds()
                await self._remember_all()
            if not self._wanted:
                self._woken.clear()
                try:
                    async with asyncio.timeout_at(due):
                        await self._woken.wait()
                except TimeoutError:
                    continue
            await asyncio.sleep(QUIET.total_seconds())
            wanted, self._wanted = self._wanted, set()
            for project in wanted:
                await self._attempt(project)

    async def _remember_all(self) -> None:
        self._wanted |= {ProjectId(found.row.project) for found in await self.containers.rows.find(ROUTES, {})}

    async def _attempt(self, project: ProjectId) -> None:
        try:
            await self.collect(project)
        except (ConflictError, EngineError, *AWAY) as error:
            # Others write about the project, or the engine is away: what is left is found the next time.
            _log.warning("collecting.put_off", project=str(project), reason=str(error))

    async def collect(self, project: ProjectId) -> list[StorageReclaimed]:
        """Retire and delete what nothing needs of the project on this node; return what went.

        Raises: ConflictError, EngineError, LogUnavailableError, NotReachedError.
        """
        async with self.containers.node.locks.alone(f"collecting of {project}"):
            found = await self._look(project)
            if found is None:
                return []
            if found.going or found.project.releases.owed:
                await self._retire(found)
                return await self._delete(project)
            return []

    async def everything(self, report: Report) -> Collected:
        """Collect in all projects, because an operator asked for it.

        Raises: EventLogError, also where the engine is away.
        """
        gone = list[Collectable]()
        async for project in self._each("deletes what nothing needs", report):
            with _engine_named():
                collected = await self.collect(project)
            gone += (_item(project, event.kind, event.name, event.why, event.freed_bytes) for event in collected)
        return _outcome(gone)

    async def foretell(self, report: Report) -> Collected:
        """Say what `everything` would delete.

        Raises: EventLogError, also where the engine is away.
        """
        going = list[Collectable]()
        async for project in self._each("looks what nothing needs", report):
            with _engine_named():
                found = await self._look(project)
            for kept, why in () if found is None else _in_order(found):
                going.append(_item(project, _kind(kept), kept.reference, why, kept.size))
        return _outcome(going)

    async def _each(self, doing: str, report: Report) -> AsyncIterator[ProjectId]:
        routes = await self.containers.rows.find(ROUTES, {})
        for done, found in enumerate(routes):
            report(doing, done, len(routes))
            yield ProjectId(found.row.project)

    async def _look(self, project: ProjectId) -> Found | None:
        """Return what is known by the log as it is now; None of a project of which the log knows nothing."""
        await self.containers.caught_up(await self.containers.head())
        rows = self.containers.rows
        deployments = {one.key: one.row for one in await rows.find(DEPLOYMENTS, {"project": project})}
        if not deployments:
            return None
        routes, releases = await rows.get(ROUTES, project), await rows.get(RELEASES, project)
        commands = {one.row.deployment for one in await rows.find(RUNS, {"project": project}) if not one.row.ended}
        return Found(
            key=_key(next(iter(deployments.values())).team, project),
            after=0 if releases is None else releases.sequence,
            project=Project(
                deployments=deployments,
                routes=None if routes is None else routes.row,
                commands=commands,
                releases=Releases() if releases is None else releases.row,
            ),
            kept=await self.containers.runtime.releases(project),
        )

    async def _retire(self, found: Found) -> None:
        """Say of what may go that nothing may start from it any more."""
        sizes = {one.reference: one.size for one in found.kept}
        after = found.after
        for release, why in found.verdict.go.items():
            if not found.project.retired(release):
                event = ReleaseRetired(
                    release=release, node=self.containers.node.name, why=why, size_bytes=sizes[release]
                )
                after = await self._say(found.key, event, after, release)
                reach("after_retired", "release")

    async def _delete(self, project: ProjectId) -> list[StorageReclaimed]:
        """Delete what was retired, if the log as it is by now has nothing against it."""
        async with self.containers.node.locks.alone(deleting(project)):
            found = await self._look(project)
            if found is None:
                return []
            after, gone = found.after, list[StorageReclaimed]()
            for event in self._already_gone(found):
                after = await self._say(found.key, event, after, event.name)
                gone.append(event)
            for kept, why in _in_order(found):
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
            await self.containers.runtime.remove_release(reference)
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
            node=self.containers.node.name,
            kind="release" if kept is None else _kind(kept),
            name=name,
            why=why,
            freed_bytes=None if kept is None else kept.size,
        )

    async def _say(self, key: AggregateKey, event: Event, after: int, what: str) -> int:
        identity = EventId(derived("collected", event.TYPE, str(key.id), what, str(after)))
        return await self.append.commanded(key, event, Expected.at(key, after), actor=ACTOR, id=identity)


def _key(team: TeamId, project: ProjectId) -> AggregateKey:
    return AggregateKey(team, project, Aggregate.RELEASES, project)


def _kind(kept: Kept) -> str:
    return "layer" if kept.layer else "release"


def _item(project: ProjectId, kind: str, name: str, why: str, size: int | None) -> Collectable:
    return Collectable(project=project, kind=kind, name=name, why=why, size=size)


def _outcome(items: Sequence[Collectable]) -> Collected:
    return Collected(items=tuple(items[:_MOST_TOLD]), left_out=max(0, len(items) - _MOST_TOLD))


@contextmanager
def _engine_named() -> Iterator[None]:
    """Let who asked read what the engine said."""
    try:
        yield
    except EngineError as error:
        raise CannotCollectError(str(error)) from error


def _in_order(found: Found) -> Iterable[tuple[Kept, str]]:
    kept = {one.reference: one for one in found.kept}
    return [(kept[reference], why) for reference, why in found.going.items()]
