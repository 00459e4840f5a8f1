"""The node that outlives every builder: its engine, the apps on it, and what the engine tells of them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from support.memory_runtime import MemoryRuntime
from support.simulation.history import App
from support.simulation.loop import VirtualLoop
from support.simulation.process import Process
from windlass_builder.application.attachment import Attachment
from windlass_builder.application.runtime import OutputSink, Runtime
from windlass_builder.application.runtime_errors import BuildExitedError, EngineError
from windlass_builder.domain.belongings import Belonging, BelongingKind
from windlass_builder.domain.workloads import (
    Address,
    DockerfileSpec,
    EventsResumed,
    Exited,
    Kept,
    OutputLine,
    OutputStream,
    Paused,
    ReadyImageSpec,
    Release,
    ReleaseSpec,
    Restarting,
    Runner,
    RunnerEvent,
    RunnerExited,
    RunnerPaused,
    RunnerRemoved,
    RunnerResumed,
    RunnerSpec,
    RunnerStarted,
    Running,
    Volume,
    VolumeFound,
    Written,
)

T = TypeVar("T")
_DIES_AFTER_S = 0.3
_RESTARTED_AFTER_S = 0.1
_BACK_AFTER_S = 0.5
_SLOW_BUILD_S = 12.0
_GONE_WITH_IT = 255
_APPS = tuple(App)
_BEFORE_THE_START_S = 3.0


def app_of(commit: str) -> App:
    """Return what a commit is like: its first digits say so."""
    return _APPS[int(commit[:2], 16)]


def is_before_start(container: str) -> bool:
    """Return whether that is a container of the command before the start."""
    return "-pre-" in container


@dataclass(slots=True)
class Node(MemoryRuntime):
    """`touched` is told of everything that the builder does to a container, before it is done."""

    loop: VirtualLoop = field(kw_only=True)
    clock: Callable[[], datetime] = field(kw_only=True)
    touched: Callable[[str, str], None] = field(kw_only=True)
    told: Callable[[str], None] = field(kw_only=True)
    commits: dict[str, str] = field(default_factory=dict)
    sick: set[str] = field(default_factory=set)
    erring: set[str] = field(default_factory=set)
    born: dict[str, float] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)
    by_itself: set[str] = field(default_factory=set)
    fallen: set[str] = field(default_factory=set)
    """Hosts at which something ended by itself, or was removed by hand."""
    networks: dict[UUID, int] = field(default_factory=dict)
    secrets_of: dict[str, dict[str, str]] = field(default_factory=dict)
    gone: dict[str, asyncio.Event] = field(default_factory=dict)
    over: dict[str, asyncio.Event] = field(default_factory=dict)
    _listeners: "list[asyncio.Queue[RunnerEvent | EventsResumed]]" = field(default_factory=list)
    _ticks: int = 0

    async def build(self, spec: ReleaseSpec, source: Path, output: OutputSink) -> Release:
        app = app_of(spec.revision)
        if spec.step is not None:
            for value in spec.step.environment.values():
                await output(OutputLine(self.clock(), OutputStream.STDOUT, f"built with {value}".encode()))
        if app is App.SLOW:
            await asyncio.sleep(_SLOW_BUILD_S)
        if app is App.BROKEN:
            raise BuildExitedError(1)
        of_project = replace(spec, revision=f"{spec.revision}-{spec.project.hex}")  # no project has another's releases
        release = await MemoryRuntime.build(self, of_project, source, output)
        self.commits[release.reference] = spec.revision
        cache = Belonging(BelongingKind.CACHE, f"cache-{spec.project.hex}", spec.project)
        if cache not in self.owned:
            self.owned.append(cache)
        return release

    async def remove_belonging(self, belonging: Belonging) -> None:
        count = len(self.owned)
        await MemoryRuntime.remove_belonging(self, belonging)
        self.deleted += [belonging.name] * (count - len(self.owned))

    async def create(self, spec: RunnerSpec) -> None:
        self.touched("create", spec.name)
        known = self.living.get(spec.name)
        await MemoryRuntime.create(self, spec)
        if known is None:
            self.living[spec.name] = replace(self.living[spec.name], address=self._address(spec))

    async def start(self, spec: RunnerSpec) -> Runner:
        self.touched("start", spec.name)
        known = self.living.get(spec.name)
        runner = await MemoryRuntime.start(self, spec)
        if known is None:
            runner = replace(runner, address=self._address(spec))
        if known is None or not isinstance(known.state, Running):
            runner = replace(runner, state=Running(self.clock()))
            self.living[spec.name] = runner
            self.born[spec.name] = self.loop.time()
            self.secrets_of[spec.name] = dict(spec.environment)
            self.gone.setdefault(spec.name, asyncio.Event()).clear()
            self._tell(runner, RunnerStarted)
            if is_before_start(spec.name):
                code = int(spec.command == "fail")
                self.loop.call_later(_BEFORE_THE_START_S, self._ends_with, spec.name, code)
                return runner
            self.started.append(spec.name)
            if app_of(self.commits[spec.release]) is App.DYING:
                self.loop.call_later(_DIES_AFTER_S, self.ends, spec.name)
        return runner

    async def attend(self, name: str, output: OutputSink, after: datetime | None = None) -> Exited:
        """Pass on what careless commands write, and wait until the command has ended."""
        while not isinstance(state := (await self.inspect(name)).state, Exited):
            if after is None:
                for value in self.secrets_of[name].values():
                    await output(OutputLine(self.clock(), OutputStream.STDERR, f"migrated with {value}".encode()))
            await self.over.setdefault(name, asyncio.Event()).wait()
        return state

    def _address(self, spec: RunnerSpec) -> Address:
        network = self.networks.setdefault(spec.project, len(self.networks) + 1)
        return Address(f"10.{network}.0.{self._made + 1}", spec.port)

    async def stop(self, name: str, grace: timedelta) -> None:
        self.touched("stop", name)
        runner = self.living.get(name)
        await MemoryRuntime.stop(self, name, grace)
        self.kept.discard(name)
        if runner is not None and not isinstance(runner.state, Exited | Restarting):
            self._exited(runner, 143)

    async def pause(self, name: str) -> None:
        self.touched("pause", name)
        await MemoryRuntime.pause(self, name)
        self._tell(self.living[name], RunnerPaused)

    async def resume(self, name: str) -> None:
        self.touched("resume", name)
        await MemoryRuntime.resume(self, name)
        self._tell(self.living[name], RunnerResumed)

    async def remove(self, name: str) -> None:
        self.touched("remove", name)
        self._remove(name)

    def _remove(self, name: str) -> None:
        runner = self.living.pop(name, None)
        self.kept.discard(name)
        if runner is not None:
            if not isinstance(runner.state, Exited | Restarting):
                self._exited(runner, 137)
            self._tell(runner, RunnerRemoved)
            self.gone.setdefault(name, asyncio.Event()).set()

    def is_well(self, name: str) -> bool:
        """Tell whether what runs in a container answers as it should, or will after a while."""
        runner = self.living[name]
        app = app_of(self.commits[runner.release])
        return isinstance(runner.state, Running) and name not in self.sick and app not in {App.SICK, App.DYING}

    def removed_by_hand(self, name: str) -> None:
        self.by_itself.add(name)
        self.fallen.add(self.living[name].address.host)
        self._remove(name)

    def ends(self, name: str) -> None:
        """Let an app end by itself; the engine starts it again if it is to keep running."""
        runner = self.living.get(name)
        if runner is None or not isinstance(runner.state, Running):
            return
        self.by_itself.add(name)
        self.fallen.add(runner.address.host)
        self.told(f"the app in {name} ends")
        self._ends_with(name, 1)
        if name in self.kept:
            self.living[name] = replace(self.living[name], state=Restarting(1))
            self.loop.call_later(_RESTARTED_AFTER_S, self._restart, name)

    def falls(self) -> None:
        """Let the engine die with all containers; it is back soon, and starts what it is to keep running."""
        self.told("the engine dies with all containers")
        fell = [one for one in self.living.values() if isinstance(one.state, Running | Paused)]
        for runner in fell:
            self.by_itself.add(runner.name)
            self.fallen.add(runner.address.host)
            kept = runner.name in self.kept
            state = Restarting(_GONE_WITH_IT) if kept else Exited(_GONE_WITH_IT, out_of_memory=False)
            self.living[runner.name] = replace(runner, state=state)
            self.loop.call_later(_BACK_AFTER_S + _RESTARTED_AFTER_S, self._restart, runner.name)
        # Before all that is started again, though no time passes here while it is.
        self.loop.call_later(_BACK_AFTER_S, self._is_back, fell, self.clock() - timedelta(milliseconds=1))

    def _is_back(self, fell: Sequence[Runner], since: datetime) -> None:
        """Let the engine tell that it is there again, and then of what fell with it."""
        self._hand_out(EventsResumed(self._moment()))
        for runner in fell:
            self._exited(runner, _GONE_WITH_IT, since)

    def _ends_with(self, name: str, code: int) -> None:
        runner = self.living.get(name)
        if runner is not None and isinstance(runner.state, Running):
            self.living[name] = replace(runner, state=Exited(code, out_of_memory=False))
            self._exited(runner, code)

    def _restart(self, name: str) -> None:
        runner = self.living.get(name)
        if runner is None or name not in self.kept or not isinstance(runner.state, Restarting):
            return
        self.living[name] = replace(runner, state=Running(self.clock()), restarts=runner.restarts + 1)
        self.born[name] = self.loop.time()
        self._tell(self.living[name], RunnerStarted)

    def _exited(self, runner: Runner, code: int, at: datetime | None = None) -> None:
        self.over.setdefault(runner.name, asyncio.Event()).set()
        self._hand_out(
            RunnerExited(
                runner=runner.name,
                project=runner.project,
                deployment=runner.deployment,
                at=at or self._moment(),
                id=runner.id,
                exit_code=code,
                out_of_memory=False,
            )
        )

    def _tell(self, runner: Runner, kind: type[RunnerEvent]) -> None:
        about = {"runner": runner.name, "project": runner.project, "deployment": runner.deployment, "id": runner.id}
        self._hand_out(kind(**about, at=self._moment()))  # type: ignore[arg-type] # names and ids, each of its type

    def _moment(self) -> datetime:
        self._ticks += 1
        return self.clock() + timedelta(microseconds=self._ticks)

    def _hand_out(self, event: RunnerEvent | EventsResumed) -> None:
        for listener in self._listeners:
            listener.put_nowait(event)

    async def events(self, since: datetime | None = None) -> AsyncGenerator[RunnerEvent | EventsResumed, None]:  # noqa: ARG002 - nobody gives it
        listener: asyncio.Queue[RunnerEvent | EventsResumed] = asyncio.Queue()
        self._listeners.append(listener)
        try:
            while True:
                yield await listener.get()
        finally:
            self._listeners.remove(listener)


@dataclass(slots=True)
class NodeOf(Runtime):
    """The node, as one life of the builder reaches it: each change is an effect."""

    node: Node
    process: Process

    @property
    def isolation(self) -> str:
        return self.node.isolation

    async def prepare(self, project: UUID) -> None:
        await self.node.prepare(project)

    async def build(self, spec: ReleaseSpec, source: Path, output: OutputSink) -> Release:
        return await self._effect(f"build {spec.revision[:4]}", lambda: self.node.build(spec, source, output))

    async def build_image(self, spec: DockerfileSpec, source: Path, output: OutputSink) -> Release:
        return await self._effect(f"build {spec.revision[:4]}", lambda: self.node.build_image(spec, source, output))

    async def take_image(self, spec: ReadyImageSpec, output: OutputSink) -> Release:
        return await self._effect(f"take {spec.reference}", lambda: self.node.take_image(spec, output))

    async def create(self, spec: RunnerSpec) -> None:
        await self._effect(f"create {spec.name}", lambda: self.node.create(spec))

    async def start(self, spec: RunnerSpec) -> Runner:
        return await self._effect(f"start {spec.name}", lambda: self.node.start(spec))

    async def attend(self, name: str, output: OutputSink, after: datetime | None = None) -> Exited:
        return await self.node.attend(name, output, after)

    @asynccontextmanager
    async def attached(self, spec: RunnerSpec) -> AsyncIterator[Attachment]:
        await self._effect(f"start {spec.name}", lambda: self.node.start(spec))
        async with self.node.attached_again(spec.name) as attachment:
            yield attachment

    def attached_again(self, name: str) -> AbstractAsyncContextManager[Attachment]:
        return self.node.attached_again(name)

    async def keep_running(self, name: str) -> None:
        await self._effect(f"keep {name} running", lambda: self.node.keep_running(name))

    async def stop(self, name: str, grace: timedelta) -> None:
        await self._effect(f"stop {name}", lambda: self.node.stop(name, grace))

    async def pause(self, name: str) -> None:
        await self._effect(f"pause {name}", lambda: self.node.pause(name))

    async def resume(self, name: str) -> None:
        await self._effect(f"resume {name}", lambda: self.node.resume(name))

    async def remove(self, name: str) -> None:
        await self._effect(f"remove {name}", lambda: self.node.remove(name))

    async def inspect(self, name: str) -> Runner:
        return await self.node.inspect(name)

    async def open_connections(self, name: str) -> int | None:
        return await self.node.open_connections(name)

    async def runners(self) -> Sequence[Runner]:
        return await self.node.runners()

    def events(self, since: datetime | None = None) -> AsyncGenerator[RunnerEvent | EventsResumed, None]:
        return self.node.events(since)

    async def releases(self, project: UUID) -> Sequence[Kept]:
        return await self.node.releases(project)

    async def remove_release(self, reference: str) -> None:
        await self._effect(f"delete {reference}", lambda: self.node.remove_release(reference))

    async def belongings(self, project: UUID) -> Sequence[Belonging]:
        return await self.node.belongings(project)

    async def measured(self, belonging: Belonging) -> Belonging:
        return await self.node.measured(belonging)

    async def remove_belonging(self, belonging: Belonging) -> None:
        await self._effect(f"delete {belonging.name}", lambda: self.node.remove_belonging(belonging))

    async def volumes(self) -> Sequence[VolumeFound]:
        return await self.node.volumes()

    async def written(self) -> Sequence[Written]:
        return await self.node.written()

    async def written_by(self, name: str) -> int:
        return await self.node.written_by(name)

    async def remove_volume(self, volume: Volume) -> None:
        await self._effect(f"delete {volume.name}", lambda: self.node.remove_volume(volume))

    async def reap_builds(self) -> None:
        await self.node.reap_builds()

    async def remove_project(self, project: UUID) -> None:
        await self.node.remove_project(project)

    async def purge(self) -> None:
        await self.node.purge()

    async def close(self) -> None:
        """There is no connection."""

    async def _effect(self, what: str, act: Callable[[], Awaitable[T]]) -> T:
        return await self.process.effect(what, act, lambda: EngineError("The engine did not answer."))
