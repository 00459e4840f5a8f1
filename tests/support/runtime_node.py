"""One installation on one runtime, and short words for what the contract tests ask of it."""

import asyncio
import os
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

from asyncinotify import Inotify, Mask

from support.apps import HTTP_APP, source
from windlass_builder.application.runtime import OutputSink, Runtime
from windlass_builder.domain.names import runner_name
from windlass_builder.domain.workloads import (
    BuildStep,
    Exited,
    Limits,
    OutputLine,
    Release,
    ReleaseSpec,
    Runner,
    RunnerEvent,
    RunnerExited,
    RunnerSpec,
)

# Not the default pool: a test installation takes no subnet that a real one would take next.
POOL = IPv4Network("10.208.0.0/14")
RUNNER_IMAGE = "windlass/runner-python:3.11"
NODE_IMAGE = "windlass/runner-node:22"
STATIC_IMAGE = "windlass/runner-static:1"
LIMITS = Limits(memory=192 * 2**20, cpus=1.0, pids=64)
Event = TypeVar("Event", bound=RunnerEvent)


@dataclass
class Output:
    """Collects the lines of a build."""

    lines: list[OutputLine] = field(default_factory=list)

    async def __call__(self, line: OutputLine) -> None:
        self.lines.append(line)

    @property
    def text(self) -> str:
        return "\n".join(line.data.decode() for line in self.lines)


@dataclass
class Node(ABC):
    installation: str
    folder: Path
    connect: Callable[[], Runtime]
    runtime: Runtime
    image: str = RUNNER_IMAGE
    project: UUID = field(default_factory=uuid4)
    output: Output = field(default_factory=Output)

    @abstractmethod
    async def leftovers(self) -> list[str]:
        """Return what runs or is being built for the installation at this moment."""

    @abstractmethod
    async def count_processes(self, runner: Runner) -> int:
        """Return how many processes the runner has at this moment."""

    @abstractmethod
    async def everything_about(self, release: Release) -> str:
        """Return the release's configuration, history and files in one text."""

    @abstractmethod
    async def until_said(self, name: str, text: str) -> None:
        """Return once the runner has written a line with the text."""

    async def reconnect(self) -> None:
        """Do what a restart of the builder does: a new runtime object, and the old one gone."""
        await self.runtime.close()
        self.runtime = self.connect()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def another_project(self) -> UUID:
        self.project = uuid4()
        return self.project

    def step(self, command: str, **changes: object) -> BuildStep:
        step = BuildStep(command=command, limits=LIMITS, disk=256 * 2**20, timeout=timedelta(seconds=180))
        return replace(step, **changes)  # type: ignore[arg-type] # the tests change fields by name

    def release_spec(self, step: BuildStep | None = None, revision: str | None = None) -> ReleaseSpec:
        commit = revision or secrets.token_hex(20)
        return ReleaseSpec(project=self.project, runner=self.image, revision=commit, step=step)

    async def build(
        self, spec: ReleaseSpec, files: dict[str, str] | None = None, output: OutputSink | None = None
    ) -> Release:
        archive = source(self.folder, {"main.py": HTTP_APP} if files is None else files)
        return await self.runtime.build(spec, archive, output or self.output)

    async def app(self, command: str = "exec python3 main.py", files: dict[str, str] | None = None) -> RunnerSpec:
        """Build a release and return how to start it."""
        return self.runner_spec(await self.build(self.release_spec(), files), command)

    def runner_spec(self, release: Release, command: str) -> RunnerSpec:
        deployment = uuid4()
        return RunnerSpec(
            name=runner_name(self.installation, deployment),
            project=self.project,
            deployment=deployment,
            release=release.reference,
            command=command,
            limits=LIMITS,
        )

    async def first(self, kind: type[Event], name: str, since: datetime) -> Event:
        """Return the first event of that kind about the runner since then."""
        async with asyncio.timeout(60), aclosing(self.runtime.events(since)) as events:
            async for event in events:
                if isinstance(event, kind) and event.runner == name:
                    return event
        raise AssertionError("the events ended")

    async def exit_of(self, name: str, since: datetime) -> RunnerExited:
        return await self.first(RunnerExited, name, since)


class MemoryNode(Node):
    """Has runners in name alone: none of them has processes, says anything or contains a file."""

    async def leftovers(self) -> list[str]:
        return [runner.name for runner in await self.runtime.runners()]

    async def count_processes(self, runner: Runner) -> int:
        raise NotImplementedError

    async def everything_about(self, release: Release) -> str:
        raise NotImplementedError

    async def until_said(self, name: str, text: str) -> None:
        raise NotImplementedError


class DockerNode(Node):
    async def leftovers(self) -> list[str]:
        ours = f"label=dev.windlass.installation={self.installation}"
        running = await docker("ps", "--format", "{{.Names}}", "--filter", ours)
        builds = await docker(
            "ps", "--all", "--format", "{{.Names}}", "--filter", ours, "--filter", "label=dev.windlass.role=build"
        )
        return sorted({*running.split(), *builds.split()})

    async def count_processes(self, runner: Runner) -> int:
        return len((await docker("top", runner.name)).splitlines()) - 1

    async def everything_about(self, release: Release) -> str:
        inspected = await docker("image", "inspect", release.reference)
        history = await docker("history", "--no-trunc", "--format", "{{json .}}", release.reference)
        entry = (
            "--entrypoint",
            "sh",
            release.reference,
            "-c",
            "cat /proc/self/environ; grep -rs '' /app /home /etc /tmp /var",
        )
        return inspected + history + await docker("run", "--rm", "--network", "none", *entry)

    async def until_said(self, name: str, text: str) -> None:
        logs = await asyncio.create_subprocess_exec(
            "docker", "logs", "--follow", name, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        assert logs.stdout is not None
        async with asyncio.timeout(60):
            while text not in (line := (await logs.stdout.readline()).decode()):
                assert line, f"{name} never said {text}"
        if logs.returncode is None:
            logs.terminate()
        await logs.wait()


class ProcessNode(Node):
    async def leftovers(self) -> list[str]:
        running = {runner.name for runner in await self.runtime.runners() if not isinstance(runner.state, Exited)}
        processes = [found for found in self._processes() if not any(name in found.about for name in running)]
        return sorted(found.about for found in processes)

    async def count_processes(self, runner: Runner) -> int:
        inside = [found for found in self._processes() if runner.name in found.about and not found.supervises]
        return len(inside) - SANDBOX_PROCESSES

    async def everything_about(self, release: Release) -> str:
        [folder] = (self.folder / "home").rglob(f"releases/{release.reference.rpartition(':')[2]}")
        return "".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())

    async def until_said(self, name: str, text: str) -> None:
        [log] = (self.folder / "home").rglob(f"{name}/log")
        with Inotify() as changes:
            changes.add_watch(log, Mask.MODIFY)
            async with asyncio.timeout(60):
                while not any(text in file.read_text() for file in log.iterdir()):
                    await changes.get()

    def _processes(self) -> Iterator["Process"]:
        """Yield the processes that see this installation's folder: by their arguments, working folder or mounts."""
        home = str(self.folder)
        for path in Path("/proc").glob("[0-9]*"):
            try:
                command = (path / "cmdline").read_text()
                about = f"{command} {(path / 'cwd').readlink()} {(path / 'mountinfo').read_text()}"
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            # One without arguments has ended, and only its parent has not looked yet.
            if command and home in about and path.name != str(os.getpid()):
                yield Process(about, supervises="supervision" in command)


# bubblewrap itself, and its first process inside.
SANDBOX_PROCESSES = 2


@dataclass(frozen=True)
class Process:
    about: str
    supervises: bool


async def docker(*arguments: str) -> str:
    """Run the command line client and return what it wrote."""
    process = await asyncio.create_subprocess_exec(
        "docker", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode in {0, 2}, err.decode()
    return out.decode(errors="replace")
