"""The port to what builds releases and runs apps on this node: a container engine, or plain processes.

An adapter is made for one installation and touches nothing that does not bear its label. Every call may be repeated:
names are deterministic, so what an interrupted call left behind is taken up, not doubled. Errors: `runtime_errors`.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol
from uuid import UUID

from windlass_builder.application.attachment import Attachment
from windlass_builder.domain.belongings import Belonging
from windlass_builder.domain.workloads import (
    DockerfileSpec,
    EventsResumed,
    Exited,
    Kept,
    OutputLine,
    ReadyImageSpec,
    Release,
    ReleaseSpec,
    Runner,
    RunnerEvent,
    RunnerSpec,
    Volume,
    VolumeFound,
    Written,
)


class OutputSink(Protocol):
    """Where a build's output goes, line by line; while it waits, the build waits."""

    async def __call__(self, line: OutputLine, /) -> None: ...


class Runtime(Protocol):
    """Builds releases and runs them on this node."""

    @property
    def isolation(self) -> str:
        """A sentence that says honestly what keeps the apps of this node apart."""
        ...

    async def prepare(self, project: UUID) -> None:
        """Make what the project's builds and runners share, so that `build` and `start` need not wait for it.

        Raises: AddressesExhaustedError, NameTakenError, EngineError.
        """
        ...

    async def build(self, spec: ReleaseSpec, source: Path, output: OutputSink) -> Release:
        """Return the release of the specification, made from the tar `source` unless it exists.

        A cancelled, failed or timed out build leaves nothing running and no release.

        Raises: BuildError, RunnerImageMissingError, AddressesExhaustedError, EngineError.
        """
        ...

    async def build_image(self, spec: DockerfileSpec, source: Path, output: OutputSink) -> Release:
        """Return the release that the Dockerfile in the tar `source` describes, made unless it exists.

        Raises: BuildError, ImagesUnsupportedError, EngineError.
        """
        ...

    async def take_image(self, spec: ReadyImageSpec, output: OutputSink) -> Release:
        """Return the release of a ready image, fetched from its registry unless it exists.

        Raises: ImageError, ImagesUnsupportedError, EngineError.
        """
        ...

    async def create(self, spec: RunnerSpec) -> None:
        """Make the runner without starting it; one of that name stays as it is.

        Raises: as `start`.
        """
        ...

    async def start(self, spec: RunnerSpec) -> Runner:
        """Return the runner, running: a new one, or the one of that name and specification, resumed or started again.

        Until `keep_running`, an exit is final and only reported: a bad app is no loop.

        Volumes that it mounts are made where there are none, and its user may write to them; they outlive it.

        Raises: ReleaseMissingError, RunnerConflictError, RunnerUnstartableError, VolumesUnsupportedError,
        NameTakenError, AddressesExhaustedError, EngineError.
        """
        ...

    async def attend(self, name: str, output: OutputSink, after: datetime | None = None) -> Exited:
        """Pass on what the runner writes, behind that time where one is given, and return how it ended once it has.

        Raises: RunnerMissingError, EngineError.
        """
        ...

    def attached(self, spec: RunnerSpec) -> AbstractAsyncContextManager[Attachment]:
        """Start a runner that has a console; who enters misses nothing that it writes. It outlives the connection.

        Raises: what `start` does.
        """
        ...

    def attached_again(self, name: str) -> AbstractAsyncContextManager[Attachment]:
        """Connect to a runner with a console that runs; what it wrote while nobody was connected may be gone.

        Raises: RunnerMissingError, RunnerNotRunningError, EngineError.
        """
        ...

    async def keep_running(self, name: str) -> None:
        """From now on the engine restarts it when it exits and after a reboot, until it is stopped.

        Raises: RunnerMissingError.
        """
        ...

    async def stop(self, name: str, grace: timedelta) -> None:
        """Ask it to end (SIGTERM), kill it after `grace`; return once it ended. Nothing happens where there is none."""
        ...

    async def pause(self, name: str) -> None:
        """Let it stand still, keeping memory and address; a paused one stays paused.

        Raises: RunnerMissingError, RunnerNotRunningError.
        """
        ...

    async def resume(self, name: str) -> None:
        """Let a paused one go on; a running one goes on running.

        Raises: RunnerMissingError, RunnerNotRunningError.
        """
        ...

    async def remove(self, name: str) -> None:
        """Kill it if need be and forget it. Nothing happens where there is none."""
        ...

    async def inspect(self, name: str) -> Runner:
        """Return the runner as it is now.

        Raises: RunnerMissingError.
        """
        ...

    async def open_connections(self, name: str) -> int | None:
        """Return how many connections to the runner this node has open, at work or idle; None where it cannot tell.

        Raises: RunnerMissingError.
        """
        ...

    async def runners(self) -> Sequence[Runner]:
        """Return all runners of this installation on this node, whatever their state."""
        ...

    def events(self, since: datetime | None = None) -> AsyncGenerator[RunnerEvent | EventsResumed, None]:
        """Yield what happens to runners from `since` until cancelled, through every restart of the engine.

        Without `since` it begins when it is first asked for an event. An event may come twice. After `EventsResumed`
        compare with `runners()`: an engine that was down reports nothing of that time, and it remembers 256 events.
        """
        ...

    async def releases(self, project: UUID) -> Sequence[Kept]:
        """Return the releases and the layers that this installation has of the project on this node.

        Raises: EngineError.
        """
        ...

    async def remove_release(self, reference: str) -> None:
        """Delete the release or layer. Nothing happens where there is none; one that a runner uses is left alone.

        Raises: EngineError, also for a release that is in use.
        """
        ...

    async def belongings(self, project: UUID) -> Sequence[Belonging]:
        """Return what this installation keeps for the project here beside releases and volumes, not measured.

        Raises: EngineError.
        """
        ...

    async def measured(self, belonging: Belonging) -> Belonging:
        """Return it with its size, where that can be told; that may take a while.

        Raises: EngineError.
        """
        ...

    async def remove_belonging(self, belonging: Belonging) -> None:
        """Delete it. Nothing happens where it is gone; one that is in use is left alone.

        Raises: EngineError, also for one that is in use.
        """
        ...

    async def volumes(self) -> Sequence[VolumeFound]:
        """Return all persistent volumes of this installation on this node, measured now: that may take a while.

        Raises: EngineError.
        """
        ...

    async def remove_volume(self, volume: Volume) -> None:
        """Delete the volume with all that is in it, for ever. Nothing happens where there is none.

        Raises: VolumeInUseError, EngineError.
        """
        ...

    async def written(self) -> Sequence[Written]:
        """Return what each running or paused runner has written outside of its volumes, measured now: a walk of each.

        Raises: EngineError.
        """
        ...

    async def written_by(self, name: str) -> int:
        """Return how many bytes the runner wrote outside of its volumes, whether it runs or not.

        Raises: RunnerMissingError, EngineError.
        """
        ...

    async def reap_builds(self) -> None:
        """Kill and remove the builds that an earlier life of this process left behind."""
        ...

    async def remove_project(self, project: UUID) -> None:
        """Remove the project's runners, releases, caches and network; its volumes stay."""
        ...

    async def purge(self) -> None:
        """Remove everything of this installation on this node, its volumes too."""
        ...

    async def close(self) -> None:
        """Let go of the connection to the engine; runners run on."""
        ...
