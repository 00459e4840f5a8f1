"""A runtime in memory: runners that exist in a dictionary, and engine events that the test reads out."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from windlass_builder.application.attachment import Attachment, Piece
from windlass_builder.application.runtime import OutputSink
from windlass_builder.application.runtime_errors import (
    EngineError,
    ReleaseMissingError,
    RunnerConflictError,
    RunnerMissingError,
    RunnerNotRunningError,
    VolumeInUseError,
)
from windlass_builder.domain.belongings import Belonging
from windlass_builder.domain.releases import runner_digest
from windlass_builder.domain.workloads import (
    Address,
    Created,
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
    RunnerSpec,
    RunnerStarted,
    Running,
    Volume,
    VolumeFound,
    Written,
)
from windlass_contracts.run_frames import Size

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class PowerCut(BaseException):
    """The builder is gone from one instruction to the next."""


async def _nothing(_name: str) -> None:
    return


@dataclass(slots=True)
class MemoryAttachment:
    """To a command that writes back what comes in, and ends at the end of its input; `sizes` are its window's."""

    runtime: "MemoryRuntime"
    name: str
    sizes: list[Size] = field(default_factory=list)
    _written: "asyncio.Queue[bytes]" = field(default_factory=asyncio.Queue)

    async def read(self) -> Piece | None:
        await self.runtime.while_attended(self.name)
        data = await self._written.get()
        return Piece(OutputStream.STDOUT, data) if data else None

    async def write(self, data: bytes) -> None:
        self._written.put_nowait(data)

    async def end_input(self) -> None:
        self._written.put_nowait(b"")

    async def resize(self, size: Size) -> None:
        self.sizes.append(size)

    async def ended(self) -> Exited:
        ended = Exited(self.runtime.ends_with, out_of_memory=False)
        self.runtime.living[self.name] = replace(await self.runtime.inspect(self.name), state=ended)
        return ended


@dataclass(slots=True)
class MemoryRuntime:
    """Passes for a node. `after_start` is called when a runner runs and nobody knows yet.

    `begun` names every runner each time that it is started; one that is attended ends with `ends_with`, once
    `while_attended` has returned. `looked` is set once somebody asked for `connections`.
    """

    living: dict[str, Runner] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    builds: int = 0
    reaped: int = 0
    missing_releases: bool = False
    connections: dict[str, int | None] = field(default_factory=dict)
    after_start: Callable[[str], Awaitable[None]] = _nothing
    while_attended: Callable[[str], Awaitable[None]] = _nothing
    ends_with: int = 0
    begun: list[str] = field(default_factory=list)
    looked: asyncio.Event = field(default_factory=asyncio.Event)
    scratch: dict[str, int] = field(default_factory=dict)
    """What runners wrote outside of their volumes."""
    kept_volumes: dict[Volume, VolumeFound] = field(default_factory=dict)
    stored: dict[str, Kept] = field(default_factory=dict)
    """What is not stored was deleted, or is but a name."""
    owned: list[Belonging] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    _digests: dict[str, str] = field(default_factory=dict)
    _made: int = 0
    _happened: int = 0

    @property
    def isolation(self) -> str:
        return "None."

    @property
    def running(self) -> set[str]:
        return {name for name, runner in self.living.items() if isinstance(runner.state, Running)}

    async def prepare(self, project: UUID) -> None:
        """There is nothing to prepare."""

    async def build(self, spec: ReleaseSpec, source: Path, output: OutputSink) -> Release:  # noqa: ARG002 - the port's signature
        return self._made_of(spec.project, spec.revision)

    async def build_image(self, spec: DockerfileSpec, source: Path, output: OutputSink) -> Release:  # noqa: ARG002 - the port's signature
        return self._made_of(spec.project, spec.revision)

    def _made_of(self, project: UUID, revision: str) -> Release:
        self.builds += 1
        reference = f"release-{revision}"
        self.stored[reference] = Kept(reference=reference, project=project, size=1_000)
        return Release(reference=reference, digest=f"sha256:{'0' * 64}", cache_hit=False)

    async def take_image(self, spec: ReadyImageSpec, output: OutputSink) -> Release:  # noqa: ARG002 - the port's signature
        self.builds += 1
        return Release(reference=spec.reference, digest=spec.digest, cache_hit=False)

    async def create(self, spec: RunnerSpec) -> None:
        if spec.name not in self.living:
            self.living[spec.name] = self._created(spec)

    async def start(self, spec: RunnerSpec) -> Runner:
        known = self.living.get(spec.name)
        if known is not None and self._digests[spec.name] != runner_digest(spec):
            raise RunnerConflictError(spec.name)
        if known is None:
            known = self._created(spec)
        if not isinstance(known.state, Running):
            self.begun.append(spec.name)
        self.living[spec.name] = replace(known, state=Running(NOON))
        await self.after_start(spec.name)
        return self.living.get(spec.name, known)

    def _created(self, spec: RunnerSpec) -> Runner:
        if self.missing_releases or self._is_deleted(spec.release):
            raise ReleaseMissingError(spec.release)
        self._made += 1
        self._digests[spec.name] = runner_digest(spec)
        return Runner(
            name=spec.name,
            id=str(self._made),
            project=spec.project,
            deployment=spec.deployment,
            release=spec.release,
            address=Address(f"10.0.0.{self._made}", spec.port),
            state=Created(),
        )

    def _is_deleted(self, release: str) -> bool:
        return release in self.deleted and release not in self.stored

    async def attend(self, name: str, output: OutputSink, after: datetime | None = None) -> Exited:
        runner = await self.inspect(name)
        if isinstance(runner.state, Exited):
            return runner.state
        if after is None:
            await output(OutputLine(NOON, OutputStream.STDOUT, b"migrating"))
        await self.while_attended(name)
        ended = Exited(self.ends_with, out_of_memory=False)
        self.living[name] = replace(await self.inspect(name), state=ended)
        return ended

    @asynccontextmanager
    async def attached(self, spec: RunnerSpec) -> AsyncIterator[Attachment]:
        await self.start(spec)
        yield MemoryAttachment(self, spec.name)

    @asynccontextmanager
    async def attached_again(self, name: str) -> AsyncIterator[Attachment]:
        if not isinstance((await self.inspect(name)).state, Running):
            raise RunnerNotRunningError(name)
        yield MemoryAttachment(self, name)

    async def keep_running(self, name: str) -> None:
        await self.inspect(name)
        self.kept.add(name)

    async def stop(self, name: str, grace: timedelta) -> None:  # noqa: ARG002 - the port's signature
        if name in self.living and not isinstance(self.living[name].state, Exited):
            self.living[name] = replace(self.living[name], state=Exited(143, out_of_memory=False))

    async def pause(self, name: str) -> None:
        await self._switch(name, Paused())

    async def resume(self, name: str) -> None:
        await self._switch(name, Running(NOON))

    async def _switch(self, name: str, state: Paused | Running) -> None:
        runner = await self.inspect(name)
        if not isinstance(runner.state, Paused | Running):
            raise RunnerNotRunningError(name)
        self.living[name] = replace(runner, state=state)

    async def remove(self, name: str) -> None:
        self.living.pop(name, None)
        self.scratch.pop(name, None)
        self.kept.discard(name)

    async def inspect(self, name: str) -> Runner:
        if name not in self.living:
            raise RunnerMissingError(name)
        return self.living[name]

    async def open_connections(self, name: str) -> int | None:
        await self.inspect(name)
        self.looked.set()
        return self.connections.get(name, 0)

    async def runners(self) -> Sequence[Runner]:
        return list(self.living.values())

    def started_again(self, name: str, at: datetime) -> RunnerStarted:
        """Let the engine start an app again, and return what it says of it."""
        runner = self.living[name]
        self.living[name] = replace(runner, state=Running(at), restarts=runner.restarts + 1)
        return RunnerStarted(runner=name, project=runner.project, deployment=runner.deployment, at=at, id=runner.id)

    def exits(self, name: str, code: int = 1, at: datetime | None = None) -> RunnerExited:
        """Let an app end by itself, and return what the engine says of it; it is about to start again what it keeps."""
        runner = self.living[name]
        ended = Restarting(code) if name in self.kept else Exited(code, out_of_memory=False)
        self.living[name] = replace(runner, state=ended)
        self._happened += 1
        return RunnerExited(
            runner=name,
            project=runner.project,
            deployment=runner.deployment,
            at=at or NOON + timedelta(seconds=self._happened),
            id=runner.id,
            exit_code=code,
            out_of_memory=False,
        )

    async def events(self, since: datetime | None = None) -> AsyncGenerator[RunnerEvent | EventsResumed, None]:  # noqa: ARG002 - the port's signature
        told: Sequence[RunnerEvent] = ()
        for event in told:
            yield event

    async def releases(self, project: UUID) -> Sequence[Kept]:
        return [one for one in self.stored.values() if one.project == project]

    async def remove_release(self, reference: str) -> None:
        users = [name for name, one in self.living.items() if one.release == reference]
        if users:
            raise EngineError(f"The release {reference} is in use by {', '.join(users)}.")
        if self.stored.pop(reference, None) is not None:
            self.deleted.append(reference)

    async def belongings(self, project: UUID) -> Sequence[Belonging]:
        return [one for one in self.owned if one.project == project]

    async def measured(self, belonging: Belonging) -> Belonging:
        return replace(belonging, size=500)

    async def remove_belonging(self, belonging: Belonging) -> None:
        self.owned = [one for one in self.owned if one.name != belonging.name]

    async def volumes(self) -> Sequence[VolumeFound]:
        return list(self.kept_volumes.values())

    async def remove_volume(self, volume: Volume) -> None:
        if (found := self.kept_volumes.get(volume)) is not None and found.users:
            raise VolumeInUseError(volume.name, found.users)
        self.kept_volumes.pop(volume, None)

    async def written(self) -> Sequence[Written]:
        return [
            Written(runner=name, deployment=self.living[name].deployment, size=self.scratch.get(name, 0))
            for name, runner in self.living.items()
            if not isinstance(runner.state, Exited)
        ]

    async def written_by(self, name: str) -> int:
        await self.inspect(name)
        return self.scratch.get(name, 0)

    async def reap_builds(self) -> None:
        self.reaped += 1

    async def remove_project(self, project: UUID) -> None:
        self.living = {name: one for name, one in self.living.items() if one.project != project}

    async def purge(self) -> None:
        self.living.clear()

    async def close(self) -> None:
        """There is no connection."""
