"""Releases as folders: the source, with what the build command made of it."""

import asyncio
import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from windlass_builder.adapters import disk_use
from windlass_builder.adapters.build_environment import build_environment
from windlass_builder.adapters.build_time import bounded
from windlass_builder.adapters.processes import folders
from windlass_builder.adapters.processes.sandbox import Place, Sandbox, Usage
from windlass_builder.adapters.processes.supervised import running_build
from windlass_builder.adapters.processes.tools import Interpreter, Tools
from windlass_builder.adapters.tar import unpack
from windlass_builder.application.locks import Locks
from windlass_builder.application.runtime import OutputSink
from windlass_builder.application.runtime_errors import (
    BuildExitedError,
    BuildOutOfDiskError,
    BuildOutOfMemoryError,
    BuildOutOfProcessesError,
    BuildTimedOutError,
    ReleaseMissingError,
)
from windlass_builder.domain.belongings import Belonging, BelongingKind
from windlass_builder.domain.flood import Flood
from windlass_builder.domain.names import cache_name, release_name
from windlass_builder.domain.releases import release_digest
from windlass_builder.domain.workloads import BuildStep, Kept, OutputLine, OutputStream, Release, ReleaseSpec

_CACHE, _TEMPORARY = "/cache", "/tmp"  # noqa: S108 - inside the sandbox
_FILE_TOO_LARGE = 128 + 25  # SIGXFSZ
_STREAMS = {b"1": OutputStream.STDOUT, b"2": OutputStream.STDERR}
_NICENESS = 10  # a build gives way to running apps


@dataclass(frozen=True, slots=True)
class ReleaseFolder:
    """A release on disk: its app's files, and the runner that they were built with."""

    app: Path
    project: UUID
    runner: str


class FolderReleases:
    """The releases below `home`; a build runs as the user `build_users` gives it, where this process is root."""

    def __init__(
        self, home: Path, installation: str, sandbox: Sandbox, tools: Tools, build_users: range | None, locks: Locks
    ) -> None:
        self._home = home / "releases"
        self._caches = home / "caches"
        self._home.mkdir(parents=True, exist_ok=True)
        self._installation = installation
        self._sandbox = sandbox
        self._tools = tools
        self._build_users = build_users
        self._locks = locks

    async def build(self, spec: ReleaseSpec, source: Path, output: OutputSink) -> Release:
        on = await self._tools.interpreter(spec.runner)
        digest = release_digest(spec, on.content)
        reference = release_name(self._installation, digest)
        folder = self._folder(reference)
        async with self._locks.alone(_draft(folder).name):
            cache_hit = folder.exists()
            if not cache_hit:
                async with bounded(spec):
                    await self._make(spec, source, output, folder, on)
        return Release(reference=reference, digest=f"sha256:{digest}", cache_hit=cache_hit)

    def find(self, reference: str) -> ReleaseFolder:
        """Return the release.

        Raises: ReleaseMissingError.
        """
        folder = self._folder(reference)
        about = _about(folder)
        if about is None:
            raise ReleaseMissingError(reference)
        return ReleaseFolder(folder / "app", UUID(about["project"]), about["runner"])

    def kept(self, project: UUID) -> list[Kept]:
        """Return the project's releases, measured now."""
        return [
            Kept(reference=release_name(self._installation, folder.name), project=project, size=disk_use.size(folder))
            for folder in self._of(project)
        ]

    def _of(self, project: UUID) -> list[Path]:
        folders_of = ((folder, _about(folder)) for folder in self._home.glob("[!.]*"))
        return [folder for folder, about in folders_of if about is not None and about["project"] == str(project)]

    async def remove(self, reference: str) -> None:
        await asyncio.to_thread(folders.remove, self._folder(reference))

    async def remove_project(self, project: UUID) -> None:
        for folder in self._of(project):
            await asyncio.to_thread(folders.remove, folder)
        await self.remove_cache(project)

    def caches(self, project: UUID) -> list[Belonging]:
        """Return the project's cache, where it has one."""
        found = Belonging(BelongingKind.CACHE, cache_name(self._installation, project), project)
        return [found] if (self._caches / project.hex).exists() else []

    def size_of_cache(self, project: UUID) -> int:
        return disk_use.size(self._caches / project.hex)

    async def remove_cache(self, project: UUID) -> None:
        await asyncio.to_thread(folders.remove, self._caches / project.hex)

    async def reap(self) -> None:
        """Remove what builders left that died; their builds died with them, and nobody holds the drafts' locks."""
        for draft in self._home.glob(".*"):
            if (release := self._locks.attempt(draft.name)) is not None:
                try:
                    await asyncio.to_thread(shutil.rmtree, draft, ignore_errors=True)
                finally:
                    release()

    async def _make(self, spec: ReleaseSpec, source: Path, output: OutputSink, folder: Path, on: Interpreter) -> None:
        draft = _draft(folder)
        await asyncio.to_thread(shutil.rmtree, draft, ignore_errors=True)
        try:
            await asyncio.to_thread(unpack, source, draft / "app")
            for step in (None if spec.layer is None else spec.layer.step, spec.step):
                if step is not None:
                    await self._run_step(spec.project, step, output, draft, on)
            about = {"project": str(spec.project), "runner": spec.runner}
            (draft / "release.json").write_text(json.dumps(about))
            draft.rename(folder)
        finally:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, draft, ignore_errors=True))

    async def _run_step(self, project: UUID, step: BuildStep, output: OutputSink, draft: Path, on: Interpreter) -> None:
        cache, temporary = self._caches / project.hex, draft / "tmp"
        cache.mkdir(parents=True, exist_ok=True)
        temporary.mkdir(exist_ok=True)
        place = Place(
            app=draft / "app",
            writable={_CACHE: cache, _TEMPORARY: temporary},
            programs=on.programs,
            tools=on.tools,
        )
        user = None if self._build_users is None else self._build_users[int(draft.name[-4:], 16)]
        if user is not None:
            for folder in (draft / "app", cache, temporary):
                await asyncio.to_thread(folders.give, folder, user)
        usage = Usage(user=user, limits=step.limits, file_size=step.disk, niceness=_NICENESS)
        order = self._sandbox.order(place, step.command, {**self._environment(place), **step.environment}, usage)
        try:
            async with asyncio.timeout(step.timeout.total_seconds()), running_build(order) as lines:
                ending = await _relay(lines, output)
        except TimeoutError as error:
            raise BuildTimedOutError(step.timeout) from error
        _judge(ending, step, await asyncio.to_thread(disk_use.size, draft / "app"))
        if user is not None:
            await asyncio.to_thread(folders.give, draft / "app", 0)

    def _environment(self, place: Place) -> dict[str, str]:
        cache = self._sandbox.seen(place, _CACHE)
        temporary = self._sandbox.seen(place, _TEMPORARY)
        return {**surroundings(temporary), **build_environment(cache)}

    def _folder(self, reference: str) -> Path:
        return self._home / reference.rpartition(":")[2]


def _about(folder: Path) -> dict[str, str] | None:
    """Return what a release says of itself; None where there is none, or it was removed a moment ago."""
    try:
        about: dict[str, str] = json.loads((folder / "release.json").read_text())
    except FileNotFoundError:
        return None
    return about


def _draft(folder: Path) -> Path:
    return folder.with_name(f".building-{folder.name}")


def surroundings(temporary: str) -> dict[str, str]:
    """Return the environment that builds and apps share: theirs, not this process's own."""
    certificates = "/etc/ssl/certs/ca-certificates.crt"
    trusted = {"SSL_CERT_FILE": certificates, "PIP_CERT": certificates, "REQUESTS_CA_BUNDLE": certificates}
    trusted["NODE_EXTRA_CA_CERTS"] = certificates
    return {
        "HOME": temporary,
        "TMPDIR": temporary,
        "LANG": "C.UTF-8",
        **(trusted if Path(certificates).exists() else {}),
        "NODE_ENV": "production",
        "NPM_CONFIG_UPDATE_NOTIFIER": "false",
        "NPM_CONFIG_FUND": "false",
        "NPM_CONFIG_AUDIT": "false",
    }


async def _relay(lines: asyncio.StreamReader, output: OutputSink) -> dict[str, Any]:
    """Pass on every line and return the last one, which says how the build ended."""
    flood, stream = Flood(), OutputStream.STDOUT
    while line := (await lines.readline()).removesuffix(b"\n"):
        first, _, rest = line.partition(b" ")
        if first == b"=":
            left_out, last = flood.rest()
            for text in last:
                await output(OutputLine(datetime.now(UTC), stream, text, left_out))
                left_out = 0
            ending: dict[str, Any] = json.loads(rest)
            return ending
        name, _, text = rest.partition(b" ")
        stream, at = _STREAMS[name], int(first) / 1e9
        left_out, passing = flood.passing((text,), at)
        if passing:
            await output(OutputLine(datetime.fromtimestamp(at, UTC), stream, text, left_out))
    raise BuildExitedError(137)  # the process above the build was killed, and the build with it


def _judge(ending: dict[str, Any], step: BuildStep, written: int) -> None:
    """Raise what the ending says: a limit that was reached says more than an exit code."""
    exit_code = ending["exit_code"]
    if ending["out_of_memory"]:
        raise BuildOutOfMemoryError(step.limits.memory)
    if written >= step.disk or exit_code == _FILE_TOO_LARGE:
        raise BuildOutOfDiskError(step.disk)
    if exit_code and ending["out_of_threads"]:
        raise BuildOutOfProcessesError(step.limits.pids)
    if exit_code:
        raise BuildExitedError(exit_code)
