"""What the engine says of containers: exits that nobody asked for, and its own restarts, written down as they come.

Each deployment's are taken one after the other, and no deployment waits for another. From the moment when a container
loops its exits and starts are no news any more: the log keeps it as running, and is told sparsely how often it ended.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from windlass_builder.application.containers import Containers
from windlass_builder.application.engine_away import ENGINE_AWAY
from windlass_builder.application.failures import exited
from windlass_builder.application.journal import Journal, Observed
from windlass_builder.application.looping import Loops
from windlass_builder.application.projections import DEPLOYMENTS
from windlass_builder.application.reconciling import ON_THE_WAY, Reconciling
from windlass_builder.application.runtime_errors import ENDED_MEANWHILE, EngineError, RunnerMissingError
from windlass_builder.domain.deployment import Container, ContainerState, Deployment
from windlass_builder.domain.looping import is_replaced, is_told
from windlass_builder.domain.workloads import (
    EventsResumed,
    Exited,
    RunnerEvent,
    RunnerExited,
    RunnerPaused,
    RunnerRemoved,
    RunnerResumed,
    RunnerStarted,
    Running,
)
from windlass_contracts.events import ContainerLooping, ContainerStopped
from windlass_contracts.ids import DeploymentId, ProjectId
from windlass_contracts.lifecycle import Phase
from windlass_eventlog.appender import Appender
from windlass_eventlog.errors import AWAY, ConflictError
from windlass_eventlog.projection import Versioned

_PATIENCE_S = 10.0
"""So long what was told of one deployment may keep the whole node from being compared."""


@dataclass(slots=True)
class Exits:
    append: Appender
    containers: Containers
    reconciling: Reconciling
    tasks: asyncio.TaskGroup
    _loops: Loops = field(init=False)
    _waiting: dict[DeploymentId, deque[RunnerEvent]] = field(default_factory=dict)
    _workers: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._loops = Loops(self.tasks, self._steady)

    async def follow(self, since: datetime | None = None) -> None:
        """Write down what happens, from `since` if it is given, until canceled."""
        await self._until_done(self.resume)
        async for event in self.containers.runtime.events(since):
            if isinstance(event, EventsResumed):
                if self._workers:  # what was told before is older than what is found now
                    await asyncio.wait(self._workers, timeout=_PATIENCE_S)
                await self._until_done(self.reconciling.run)
            else:
                self._hand_on(event)

    async def resume(self) -> None:
        """See whether what looped in an earlier life of this process is steady again."""
        for found in await self.containers.rows.find(DEPLOYMENTS, {"occupied": True}):
            for container in found.row.running:
                if container.exits and container.node == self.containers.node.name:
                    runner = await self.containers.found(container.name)
                    if runner is not None and isinstance(runner.state, Running):
                        began = runner.state.started_at
                        lasted = self.append.clock() - began
                        self._loops.began(DeploymentId(found.key), container, began, lasted)

    def _hand_on(self, event: RunnerEvent) -> None:
        deployment = DeploymentId(event.deployment)
        if deployment in self._waiting:
            self._waiting[deployment].append(event)
            return
        self._waiting[deployment] = deque([event])
        worker = self.tasks.create_task(self._work(deployment))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    async def _work(self, deployment: DeploymentId) -> None:
        waiting = self._waiting[deployment]
        while waiting:
            await self.note(waiting[0])
            waiting.popleft()
        del self._waiting[deployment]

    async def note(self, event: RunnerEvent) -> None:
        """Write down one thing that the engine said, unless the log knows it already, and mend what nobody else does.

        Events are not told twice, so that each waits for what is away.
        """
        await self._until_done(partial(self._noted, event))
        if isinstance(event, RunnerExited | RunnerRemoved):
            await self._until_done(partial(self._restored, event))
        elif isinstance(event, RunnerStarted):
            await self._until_done(partial(self._reaped, event))

    async def _until_done(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                if await self._undisputed(work):
                    return
            except (EngineError, RunnerMissingError, *AWAY):  # the second: somebody removed it at this moment
                await asyncio.sleep(ENGINE_AWAY.total_seconds())

    async def _undisputed(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Do it; return whether nobody wrote meanwhile. What they wrote is in the rows then."""
        try:
            await work()
        except ConflictError as conflict:
            await self.containers.caught_up(conflict.actual or 0)
            return False
        return True

    async def _restored(self, event: RunnerEvent) -> None:
        """Start again what is wanted, and which the engine does not: it was removed, or stopped by somebody's hand.

        On its way the engine starts nothing of a deployment again; what the app ended itself stays so, and fails it.
        """
        if isinstance(event, RunnerExited) and not await self._stays_ended(event):
            return
        await self.reconciling.restore_wanted(ProjectId(event.project), DeploymentId(event.deployment))

    async def _reaped(self, event: RunnerStarted) -> None:
        """End what the engine started again though another container took its place between its end and its start.

        The log has forgotten it by then; what is being started at this moment is in the rows, for whoever does so
        held the deployment's lock until it was.
        """
        found = await self.containers.rows.get(DEPLOYMENTS, event.deployment)
        if found is None or found.row.phase is not Phase.LIVE or found.row.container(event.runner) is not None:
            return
        runner = await self.containers.found(event.runner)
        if runner is not None:
            await self.reconciling.reap(runner)

    async def _stays_ended(self, event: RunnerExited) -> bool:
        """Tell whether the engine leaves it at that, as it does after somebody's hand, though it should run on."""
        found = await self.containers.rows.get(DEPLOYMENTS, event.deployment)
        container = None if found is None else found.row.container(event.runner)
        if found is None or container is None or found.row.phase not in {*ON_THE_WAY, Phase.LIVE}:
            return False
        if found.row.phase in ON_THE_WAY and not _stopped(container.node, event).from_outside:
            return False
        runner = await self.containers.found(event.runner)
        return runner is None or isinstance(runner.state, Exited)

    async def _noted(self, event: RunnerEvent) -> None:
        async with self.containers.alone_with(DeploymentId(event.deployment)) as found:
            container = None if found is None else found.row.container(event.runner)
            if found is not None and container is not None and not await self._is_of_an_earlier(event, container):
                await self._note(event, found, container)

    async def _is_of_an_earlier(self, event: RunnerEvent, container: Container) -> bool:
        """Tell whether it happened to another container of that name, which is gone, or in an earlier life of this one.

        An engine that was away tells of ends that a comparison found before, and of which the log knows more by now.
        """
        known_since = container.started_at
        if isinstance(event, RunnerExited) and known_since is not None and event.at >= known_since:
            return False  # without looking into it: the engine lets whoever does wait until it is done with the end
        runner = await self.containers.found(event.runner)
        if runner is None:
            return False
        if isinstance(event, RunnerRemoved) or event.id not in {"", runner.id}:
            return True
        runs_since = runner.state.started_at if isinstance(runner.state, Running) else None
        return (
            isinstance(event, RunnerExited)
            and runs_since is not None
            and known_since is not None
            and event.at < min(runs_since, known_since)
        )

    async def _note(self, event: RunnerEvent, found: Versioned[Deployment], container: Container) -> None:
        seen = Observed(("engine", type(event).__name__, event.runner, event.at.isoformat()))
        journal = Journal.of(self.append, found, seen)
        known_to_run = container.state is not ContainerState.STOPPED
        if isinstance(event, RunnerRemoved) and not container.exits:
            self._loops.is_gone(event.runner)
        match event:
            case RunnerExited() if known_to_run:
                await self._exited(journal, found.row, container, event)
            case RunnerRemoved() if known_to_run:
                await self._stopped(journal, _stopped(self.containers.node.name, event))
            case RunnerStarted():
                if container.state is ContainerState.STOPPED and found.row.phase is Phase.LIVE:
                    await self.containers.restarted(journal, found.row, container)
                self._loops.began(DeploymentId(found.key), container, event.at)
            case RunnerPaused() if container.state is ContainerState.RUNNING:
                await self._otherwise(self.containers.runtime.resume, container)
            case RunnerResumed() if container.state is ContainerState.PAUSED:
                await self._otherwise(self.containers.runtime.pause, container)

    async def _otherwise(self, undo: Callable[[str], Awaitable[None]], container: Container) -> None:
        """Undo what somebody's hand did."""
        with suppress(*ENDED_MEANWHILE):
            await undo(container.name)

    async def _exited(self, journal: Journal, row: Deployment, container: Container, event: RunnerExited) -> None:
        # The failure first: a crash in between leaves a container to be stopped, never a deployment without an end.
        once_more = container.starts == 1 and _stopped(container.node, event).from_outside
        if row.phase in {Phase.STARTED, Phase.HEALTHY} and not once_more:
            await journal.add(
                exited(event.exit_code, row.config.limits.memory_bytes, out_of_memory=event.out_of_memory)
            )
        lives = self._loops.ended(container, event.at)
        if row.phase is not Phase.LIVE or not lives.looping:
            await self._stopped(journal, _stopped(self.containers.node.name, event))
        elif is_told(lives.exits):
            await self._looped(journal, event, lives.exits)

    async def _looped(self, journal: Journal, event: RunnerExited, exits: int) -> None:
        """Say that it loops; now and then a fresh container takes its place, once its removal was told."""
        looping = ContainerLooping(
            node=self.containers.node.name,
            container=event.runner,
            exits=exits,
            exit_code=event.exit_code,
            out_of_memory=event.out_of_memory,
        )
        await journal.add(looping, event.runner)
        if is_replaced(exits) and await self.reconciling.is_wanted(
            ProjectId(event.project), DeploymentId(event.deployment)
        ):
            await self._stopped(journal, _stopped(self.containers.node.name, event, ContainerStopped.LOOPING))
            await self.containers.runtime.remove(event.runner)
        await self.containers.caught_up(journal.sequence)

    async def _stopped(self, journal: Journal, event: ContainerStopped) -> None:
        await self.containers.caught_up(await journal.add(event, event.container))

    async def _steady(self, deployment: DeploymentId, name: str) -> None:
        """Say once more that a container started, now that it runs on: so ends the loop."""
        await self._until_done(partial(self._said_steady, deployment, name))

    async def _said_steady(self, deployment: DeploymentId, name: str) -> None:
        async with self.containers.alone_with(deployment) as found:
            container = None if found is None else found.row.container(name)
            if found is None or container is None or container.state is not ContainerState.RUNNING:
                return
            runner = await self.containers.found(name)
            if container.exits and runner is not None and isinstance(runner.state, Running):
                seen = Observed(("steady", name, runner.state.started_at.isoformat()))
                await self.containers.restarted(Journal.of(self.append, found, seen), found.row, container)
                self._loops.is_over(name)


def _stopped(node: str, event: RunnerExited | RunnerRemoved, why: str | None = None) -> ContainerStopped:
    """Return what is said of a container that ended or was removed; the reason is the engine's, or the one given."""
    if isinstance(event, RunnerRemoved):
        return ContainerStopped(node=node, container=event.runner, why="removed")
    return ContainerStopped(
        node=node,
        container=event.runner,
        why=why or ("out-of-memory" if event.out_of_memory else "exited"),
        exit_code=event.exit_code,
        out_of_memory=event.out_of_memory,
    )
