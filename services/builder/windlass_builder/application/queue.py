"""Who is built next: each build waits for its turn, and several builders of a node take from the same queue.

What waits stands in the rows, and nowhere else. Whoever was woken up by a request waits here with it, so that the
wake-up comes again should this process die; those that are too many to be waited with, and those that another builder
left behind, are taken up from the rows. A lock of the node sees to it that nobody works on what another works on.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import structlog

from windlass_builder.application.locks import Locks, Release
from windlass_builder.application.projections import DEPLOYMENTS, TURNS
from windlass_builder.domain.deployment import Deployment
from windlass_builder.domain.queue import Request, in_turn, needs_a_build, unfinished
from windlass_builder.domain.room import Shortage
from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.ids import DeploymentId, ProjectId
from windlass_contracts.lifecycle import Phase
from windlass_eventlog.clock import Clock
from windlass_eventlog.errors import AWAY, NotReachedError
from windlass_eventlog.log import EventLog
from windlass_eventlog.projection import Rows, Versioned
from windlass_eventlog.reaction import Handled, Postponed
from windlass_eventlog.reactor import WakeUp

MOST_HELD = 1_000
"""So many requests are waited with. The others' wake-ups are done with, for the log hands out a bounded number of them:
those that wait would hold up cancels, and everything else that the builder is woken up for."""

LEFT_ALONE = timedelta(seconds=5)
"""After that, what nobody works on is taken up by whoever has room; until then it is left to who was woken up by it."""

_A_WHILE = timedelta(hours=1)
_AGAIN_AFTER_S = 1.0

Attend = Callable[[WakeUp], Awaitable[Handled | Postponed]]

_log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class Turn:
    """A deployment that is ours alone to work on; `built` says that the next one may be built."""

    found: Versioned[Deployment]
    built: Callable[[], None]


@dataclass(slots=True)
class BuildQueue:
    """The queue as one builder sees it, which builds `at_once` of it, and none while the node has a `shortage`."""

    log: EventLog
    rows: Rows
    locks: Locks
    at_once: int
    shortage: Callable[[], Shortage | None]
    clock: Clock
    most_held: int = MOST_HELD
    left_alone: timedelta = LEFT_ALONE
    _here: set[DeploymentId] = field(default_factory=set)
    _waiting: "dict[DeploymentId, asyncio.Future[Release | None]]" = field(default_factory=dict)
    _building: dict[DeploymentId, ProjectId] = field(default_factory=dict)
    _taken_up: "dict[DeploymentId, asyncio.Task[None]]" = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def turn(self, deployment: DeploymentId) -> AsyncIterator[Turn | None]:
        """Wait until the deployment may be worked on; yields None where there is nothing left to do, or not by us."""
        if len(self._here) >= self.most_held:
            yield None
            return
        self._here.add(deployment)
        try:
            found = await self.rows.get(DEPLOYMENTS, deployment)
            if found is None or not unfinished(found.row):
                yield None
                return
            release = await self._may_begin(deployment, found.row) if needs_a_build(found.row) else None
            if release is None:
                async with self.locks.alone(_claim(deployment)):
                    yield await self._turn(deployment)
                return
            try:
                yield await self._turn(deployment)
            finally:
                release()
        finally:
            self._here.discard(deployment)
            self._over(deployment)

    async def run(self, attend: Attend) -> None:
        """Give turns until canceled; `attend` does with a request what its wake-up would have done."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow())
            while True:
                self._changed.clear()
                patience = await self._looked(attend, tasks)
                with suppress(TimeoutError):
                    async with asyncio.timeout(patience):
                        await self._changed.wait()

    async def _turn(self, deployment: DeploymentId) -> Turn | None:
        """Read the row once more: while we waited, somebody else may have done all that there was to do."""
        await self.rows.reached(await self.log.head(), _A_WHILE)
        found = await self.rows.get(DEPLOYMENTS, deployment)
        if found is None or not unfinished(found.row):
            return None
        return Turn(found, lambda: self._over(deployment))

    def _over(self, deployment: DeploymentId) -> None:
        self._building.pop(deployment, None)
        self._changed.set()

    async def _may_begin(self, deployment: DeploymentId, row: Deployment) -> Release | None:
        """Wait for the turn, and return what gives the deployment back; None once it needs no build any more."""
        alone = not self._waiting and len(self._building) < self.at_once and self.shortage() is None
        if alone and (release := self.locks.attempt(_claim(deployment))) is not None:
            self._building[deployment] = row.project
            return release
        waiting: asyncio.Future[Release | None] = asyncio.get_running_loop().create_future()
        self._waiting[deployment] = waiting
        self._changed.set()
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled() and (release := waiting.result()) is not None:
                release()
            raise
        finally:
            del self._waiting[deployment]

    async def _follow(self) -> None:
        """Look again whenever something happened, as long as anything waits or is built here."""
        while True:
            try:
                await self.rows.reached(self.rows.position + 1, _A_WHILE)
            except NotReachedError:
                continue
            except AWAY:
                await asyncio.sleep(_AGAIN_AFTER_S)
            if self._here:
                self._changed.set()

    async def _looked(self, attend: Attend, tasks: asyncio.TaskGroup) -> float | None:
        try:
            return await self._look(attend, tasks)
        except AWAY as away:
            _log.warning("queue.not_read", why=str(away))
            return _AGAIN_AFTER_S

    async def _look(self, attend: Attend, tasks: asyncio.TaskGroup) -> float | None:
        """Give the turns that are due, and return after how many seconds to look again, whatever happens."""
        before = list(self._waiting.items())  # what comes meanwhile may not be in what is read now
        pending = await self.rows.find(DEPLOYMENTS, {"pending": True})
        rows = {DeploymentId(found.key): found for found in pending if unfinished(found.row)}
        for deployment, waiting in before:
            if not waiting.done() and (deployment not in rows or not needs_a_build(rows[deployment].row)):
                waiting.set_result(None)
        for deployment, found in rows.items():
            if not needs_a_build(found.row) and self._is_left(deployment, found.row):
                self._take_up(found, attend, tasks)
        await self._give_turns(rows, attend, tasks)
        settled = not self._waiting and all(one in self._here for one in rows)
        return None if settled else self.left_alone.total_seconds()

    async def _give_turns(
        self, rows: dict[DeploymentId, Versioned[Deployment]], attend: Attend, tasks: asyncio.TaskGroup
    ) -> None:
        requests = self._requests({one: found.row for one, found in rows.items()})
        turns = await turns_of(self.rows, {one.project for one in requests})
        if self.shortage() is not None:
            return
        taken_up = 0
        for request in in_turn(requests, self._building.values(), turns):
            if len(self._building) + taken_up >= self.at_once:
                return
            deployment = request.deployment
            waiting = self._waiting.get(deployment)
            if waiting is not None:
                self._begin(request, waiting)
            elif self._is_left(deployment, rows[deployment].row):
                self._take_up(rows[deployment], attend, tasks)
                taken_up += 1

    def _requests(self, rows: dict[DeploymentId, Deployment]) -> list[Request]:
        """Return who waits for a build, or has it elsewhere: whose lock says so."""
        waiting = []
        for deployment, row in rows.items():
            if deployment in self._building or not needs_a_build(row):
                continue
            begun = row.phase is Phase.BUILDING
            waiting.append(Request(deployment, row.project, row.requested_sequence, begun))
        return waiting

    def _begin(self, request: Request, waiting: "asyncio.Future[Release | None]") -> None:
        """Let one that waits here begin, unless another builder is at it."""
        if not waiting.done() and (release := self.locks.attempt(_claim(request.deployment))) is not None:
            self._building[request.deployment] = request.project
            waiting.set_result(release)

    def _is_left(self, deployment: DeploymentId, row: Deployment) -> bool:
        """Tell whether nobody works on a request, or waits with it here, though it was left alone for long enough."""
        is_ours = deployment in self._here or deployment in self._taken_up
        if is_ours or self.clock() - row.requested_at < self.left_alone:
            return False
        if (release := self.locks.attempt(_claim(deployment))) is None:
            return False
        release()
        return True

    def _take_up(self, found: Versioned[Deployment], attend: Attend, tasks: asyncio.TaskGroup) -> None:
        deployment = DeploymentId(found.key)
        task = self._taken_up[deployment] = tasks.create_task(self._attend(found, attend))
        task.add_done_callback(lambda _: self._taken_up.pop(deployment, None))

    async def _attend(self, found: Versioned[Deployment], attend: Attend) -> None:
        """Do what the request's wake-up would do, as often as that wants to come again."""
        wake = WakeUp(await self._request(found.row.requested_sequence), attempt=2)
        while isinstance(outcome := await attend(wake), Postponed):  # noqa: ASYNC110 - it is told when to come again
            await asyncio.sleep(outcome.delay.total_seconds())

    async def _request(self, sequence: int) -> Recorded[Event]:
        """Return what the log has there, however long that takes."""
        while True:
            try:
                async with aclosing(self.log.read(sequence - 1)) as events:
                    return await anext(events)
            except AWAY as away:
                _log.warning("queue.not_read", why=str(away))
                await asyncio.sleep(_AGAIN_AFTER_S)


def _claim(deployment: UUID) -> str:
    return f"work on {deployment}"


async def turns_of(rows: Rows, projects: set[ProjectId]) -> dict[ProjectId, int]:
    """Return when a build of each project was begun last, as a sequence of the log."""
    found = await rows.get_all(TURNS, projects)
    return {ProjectId(project): turn.row.sequence for project, turn in found.items()}
