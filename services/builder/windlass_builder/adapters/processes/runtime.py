"""The runtime without an engine: releases are folders, runners are processes, each below a small supervisor.

For trying out: `isolation` says honestly what keeps the apps apart. Linux only.
"""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from time import time_ns
from uuid import UUID

from windlass_builder.adapters.connections import open_connections
from windlass_builder.adapters.disk_use import occupied
from windlass_builder.adapters.node_locks import NodeLocks
from windlass_builder.adapters.processes import folders
from windlass_builder.adapters.processes.attachment import ProcessAttachment
from windlass_builder.adapters.processes.attending import pass_on
from windlass_builder.adapters.processes.events import follow_events
from windlass_builder.adapters.processes.releases import FolderReleases, surroundings
from windlass_builder.adapters.processes.runners import RunnerFolder, draft_of, make_runner, read_runner
from windlass_builder.adapters.processes.sandbox import Place, Sandbox, Usage, best_sandbox, with_console
from windlass_builder.adapters.processes.supervised import ask, attach, start_supervisor
from windlass_builder.adapters.processes.supervision.record import append_event
from windlass_builder.adapters.processes.tools import Tools
from windlass_builder.adapters.processes.volumes import VolumeFolders, user_of
from windlass_builder.adapters.rotation import Rotation
from windlass_builder.adapters.shell import script_of
from windlass_builder.application.attachment import Attachment
from windlass_builder.application.runtime import OutputSink
from windlass_builder.application.runtime_errors import (
    AddressesExhaustedError,
    EngineError,
    ImagesUnsupportedError,
    ReleaseMissingError,
    RunnerConflictError,
    RunnerMissingError,
    RunnerNotRunningError,
    VolumesUnsupportedError,
)
from windlass_builder.domain.belongings import Belonging
from windlass_builder.domain.releases import runner_digest
from windlass_builder.domain.workloads import (
    DockerfileSpec,
    EventsResumed,
    Exited,
    Kept,
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

_NICENESS = 5
"""Of apps: where the CPU is short the platform comes first, and builds come last."""
# Below the ports that the kernel hands out by itself; each installation of a machine has its own block.
_FIRST_PORT, _PORTS, _BLOCKS = 20_000, 600, 20
# As root, a runner is the user of its port, a build one of those behind them: nobody else has such ids.
_FIRST_USER = 1_700_000_000
_BUILD_USERS = range(_FIRST_USER + 100_000, _FIRST_USER + 100_000 + 2**16)


_NO_IMAGES = "This node runs apps as plain processes: it has no engine for images. Let it use Docker."


class ProcessRuntime:
    """`Runtime` below `home`; `interpreters` names the programs that stand for the runners of an engine."""

    def __init__(
        self, installation: str, home: Path, interpreters: Mapping[str, Path | None], sandbox: Sandbox | None = None
    ) -> None:
        self._home = home / "processes"
        self._runners = self._home / "runners"
        self._runners.mkdir(parents=True, exist_ok=True)
        self._root = os.geteuid() == 0
        self._sandbox = sandbox or best_sandbox()
        self._tools = Tools(self._home / "tools", interpreters)
        users = _BUILD_USERS if self._root else None
        self._locks = NodeLocks(home / "locks")
        self._releases = FolderReleases(self._home, installation, self._sandbox, self._tools, users, self._locks)
        self._volumes = VolumeFolders(self._home / "volumes")
        self._rotation = Rotation(self._home / "ports.json")
        first = _FIRST_PORT + int(installation, 16) % _BLOCKS * _PORTS
        self._ports = range(first, first + _PORTS)

    @property
    def isolation(self) -> str:
        return self._sandbox.isolation

    async def prepare(self, project: UUID) -> None:
        """Do nothing: processes share what the machine has."""

    async def build(self, spec: ReleaseSpec, source: Path, output: OutputSink) -> Release:
        return await self._releases.build(spec, source, output)

    async def build_image(self, spec: DockerfileSpec, source: Path, output: OutputSink) -> Release:  # noqa: ARG002 - the port's
        raise ImagesUnsupportedError(_NO_IMAGES)

    async def take_image(self, spec: ReadyImageSpec, output: OutputSink) -> Release:  # noqa: ARG002 - the port's
        raise ImagesUnsupportedError(_NO_IMAGES)

    async def create(self, spec: RunnerSpec) -> None:
        async with self._locks.alone(draft_of(self._runners / spec.name).name):
            if read_runner(self._runners / spec.name) is None:
                await self._created(spec)

    async def start(self, spec: RunnerSpec) -> Runner:
        async with self._made(spec) as found:
            if not await ask(found.path, "resume"):
                await self._supervise(found, spec)
        return await self.inspect(spec.name)

    @asynccontextmanager
    async def _made(self, spec: RunnerSpec) -> AsyncIterator[RunnerFolder]:
        """Give the runner, made if need be, to one at a time."""
        if spec.mounts and not self._sandbox.mounts:
            raise VolumesUnsupportedError
        async with self._locks.alone(draft_of(self._runners / spec.name).name):
            found = read_runner(self._runners / spec.name)
            if found is not None and found.digest != runner_digest(spec):
                raise RunnerConflictError(spec.name)
            yield found or await self._created(spec)

    @asynccontextmanager
    async def attached(self, spec: RunnerSpec) -> AsyncIterator[Attachment]:
        async with self._made(spec) as found:
            if await ask(found.path, "greet") is None:
                await self._supervise(found, spec)
        async with self.attached_again(spec.name) as attachment:
            yield attachment

    @asynccontextmanager
    async def attached_again(self, name: str) -> AsyncIterator[Attachment]:
        path = self._required(name).path
        streams = await attach(path)
        if streams is None:
            raise RunnerNotRunningError(name)
        attachment = ProcessAttachment(*streams, partial(self._ended, name))
        try:
            yield attachment
        finally:
            await attachment.close()

    async def _ended(self, name: str) -> Exited:
        """Wait until the supervisor lets go of the app."""
        await ask(self._required(name).path, "wait")
        state = (await self.inspect(name)).state
        if not isinstance(state, Exited):
            raise EngineError(f"The supervisor of {name} let go of it while it is not over.")
        return state

    async def attend(self, name: str, output: OutputSink, after: datetime | None = None) -> Exited:
        await pass_on(self._required(name).path, output, after)
        return await self._ended(name)

    async def keep_running(self, name: str) -> None:
        self._required(name).kept.touch()

    async def stop(self, name: str, grace: timedelta) -> None:
        if read_runner(self._runners / name) is not None:
            await ask(self._runners / name, "stop", grace=grace.total_seconds())

    async def pause(self, name: str) -> None:
        if not await ask(self._required(name).path, "pause"):
            raise RunnerNotRunningError(name)

    async def resume(self, name: str) -> None:
        if not await ask(self._required(name).path, "resume"):
            raise RunnerNotRunningError(name)

    async def remove(self, name: str) -> None:
        found = read_runner(self._runners / name)
        if found is None:
            return
        await ask(found.path, "stop", grace=0)
        await asyncio.to_thread(folders.remove, found.path)
        append_event(str(self._home), {"event": "removed", "at": time_ns(), **found.marks})

    async def inspect(self, name: str) -> Runner:
        return await _inspected(self._required(name))

    async def open_connections(self, name: str) -> int | None:
        return await asyncio.to_thread(open_connections, (await self.inspect(name)).address)

    async def runners(self) -> Sequence[Runner]:
        return [await _inspected(found) for found in self._found()]

    async def events(self, since: datetime | None = None) -> AsyncGenerator[RunnerEvent | EventsResumed, None]:
        async for event in follow_events(self._home, since):
            yield event

    async def releases(self, project: UUID) -> Sequence[Kept]:
        return await asyncio.to_thread(self._releases.kept, project)

    async def remove_release(self, reference: str) -> None:
        users = [found.marks["name"] for found in self._found() if found.release == reference]
        if users:
            raise EngineError(f"The release {reference} is in use by {', '.join(users)}.")
        await self._releases.remove(reference)

    async def belongings(self, project: UUID) -> Sequence[Belonging]:
        return self._releases.caches(project)

    async def measured(self, belonging: Belonging) -> Belonging:
        return replace(belonging, size=await asyncio.to_thread(self._releases.size_of_cache, belonging.project))

    async def remove_belonging(self, belonging: Belonging) -> None:
        await self._releases.remove_cache(belonging.project)

    async def volumes(self) -> Sequence[VolumeFound]:
        return await asyncio.to_thread(self._volumes.all, self._users_of)

    async def remove_volume(self, volume: Volume) -> None:
        await asyncio.to_thread(self._volumes.remove, volume, self._users_of(volume))

    def _users_of(self, volume: Volume) -> tuple[str, ...]:
        return tuple(found.marks["name"] for found in self._found() if found.mounts_volume(volume))

    async def written(self) -> Sequence[Written]:
        return [
            Written(
                runner=found.marks["name"], deployment=UUID(found.marks["deployment"]), size=await self._written(found)
            )
            for found in self._found()
            if not isinstance((await _inspected(found)).state, Exited)
        ]

    async def written_by(self, name: str) -> int:
        return await self._written(self._required(name))

    async def _written(self, found: RunnerFolder) -> int:
        """Return how much larger the app's folder is than the release that it was copied from."""
        now = await asyncio.to_thread(occupied, found.path / "app")
        try:
            return max(0, now - await asyncio.to_thread(occupied, self._releases.find(found.release).app))
        except ReleaseMissingError:
            return 0

    async def reap_builds(self) -> None:
        await self._releases.reap()
        for left_behind in self._runners.glob(".*"):
            if (release := self._locks.attempt(left_behind.name)) is not None:
                try:
                    await asyncio.to_thread(shutil.rmtree, left_behind, ignore_errors=True)
                finally:
                    release()

    async def remove_project(self, project: UUID) -> None:
        for found in self._found():
            if found.marks["project"] == str(project):
                await self.remove(found.marks["name"])
        await self._releases.remove_project(project)

    async def purge(self) -> None:
        for found in self._found():
            await self.remove(found.marks["name"])
        await asyncio.to_thread(folders.remove, self._home)

    async def close(self) -> None:
        """Do nothing: there is no connection."""

    def _found(self) -> list[RunnerFolder]:
        found = (read_runner(path) for path in sorted(self._runners.glob("[!.]*")))
        return [runner for runner in found if runner is not None]

    def _required(self, name: str) -> RunnerFolder:
        found = read_runner(self._runners / name)
        if found is None:
            raise RunnerMissingError(name)
        return found

    async def _created(self, spec: RunnerSpec) -> RunnerFolder:
        release = self._releases.find(spec.release)
        port = self._free_port()
        path = self._runners / spec.name
        await asyncio.to_thread(make_runner, path, spec, release, port, self._user(port, spec))
        return self._required(spec.name)

    async def _supervise(self, found: RunnerFolder, spec: RunnerSpec) -> None:
        on = await self._tools.interpreter(found.python)
        user = self._user(found.port, spec)
        folders_of = await asyncio.to_thread(self._volumes.provided, spec.mounts, user)
        place = Place(app=found.path / "app", writable=folders_of, programs=on.programs, tools=on.tools)
        environment = {
            **surroundings("/tmp"),  # noqa: S108 - of the sandbox, where there is one
            "PYTHONUNBUFFERED": "1",  # a line is worth most when it comes at once
            **spec.environment,
            "PORT": str(found.port),
        }
        usage = Usage(user=user, limits=spec.limits, niceness=_NICENESS)
        order = self._sandbox.order(place, script_of(spec), environment, usage)
        await start_supervisor(found.path, order if spec.console is None else with_console(order, spec.console))

    def _user(self, port: int, spec: RunnerSpec) -> int | None:
        return (user_of(spec.mounts) or _FIRST_USER + port) if self._root else None

    def _free_port(self) -> int:
        taken = {found.port for found in self._found()}
        while (port := self._rotation.next("ports", self._ports, taken)) is not None:
            if _is_free(port):
                return port
            taken.add(port)
        raise AddressesExhaustedError(
            f"All ports from {self._ports.start} to {self._ports.stop - 1} are in use; remove some runners."
        )


async def _inspected(found: RunnerFolder) -> Runner:
    """Ask for nothing in particular: whether there is an answer says whether there is a supervisor."""
    supervised = await ask(found.path, "greet") is not None
    return found.runner(supervised=supervised)


def _is_free(port: int) -> bool:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("", port))
        except OSError:
            return False
    return True
