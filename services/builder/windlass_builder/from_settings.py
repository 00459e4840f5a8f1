"""What a builder works with on its machine, as its settings say."""

import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path

from windlass_builder.adapters.archive import list_root
from windlass_builder.adapters.docker.build_group import BuildShare
from windlass_builder.adapters.docker.runtime import DockerRuntime
from windlass_builder.adapters.git.mirrors import GitMirrors
from windlass_builder.adapters.git.source import GitSource
from windlass_builder.adapters.intents import IntentFiles
from windlass_builder.adapters.machine import DOCKER_FOLDER, measured
from windlass_builder.adapters.node_locks import NodeLocks
from windlass_builder.adapters.processes.runtime import ProcessRuntime
from windlass_builder.application.node import Node
from windlass_builder.application.runtime import Runtime
from windlass_builder.application.source import SourceFetcher
from windlass_builder.application.source_store import SourceStore
from windlass_builder.application.workspace import reap_workspaces
from windlass_builder.domain.detection import DOCKERFILE, Listing
from windlass_builder.domain.room import DiskLevel, Shortage, disk_level, shortage
from windlass_builder.settings import BuilderSettings


@dataclass(frozen=True, slots=True)
class Sources:
    """Where projects' sources come from, how an archive of one is looked into, and how many are worked on at once."""

    fetcher: SourceFetcher
    list_root: Callable[[Path], Awaitable[Listing]]
    builds_at_once: int = 2
    inspections_at_once: int = 2
    stores: Sequence[SourceStore] = ()
    """Where fetched sources are kept, beside the object store."""


@asynccontextmanager
async def runtime_of(settings: BuilderSettings) -> AsyncIterator[Runtime]:
    runtime: Runtime
    if settings.runtime == "docker":
        pool, share = IPv4Network(settings.subnet_pool), _share(settings)
        runtime = DockerRuntime(settings.installation, settings.home, pool, share=share)
    else:
        runtime = ProcessRuntime(settings.installation, settings.home, _interpreters(settings))
    try:
        yield runtime
    finally:
        await runtime.close()


def _share(settings: BuilderSettings) -> BuildShare:
    whole = BuildShare.of_this_machine(settings.spare_cores)
    return BuildShare(
        memory=settings.dockerfile_memory_bytes or whole.memory,
        cpus=settings.dockerfile_cpus or whole.cpus,
        processes=settings.dockerfile_processes,
        cores=whole.cores,
    )


def _interpreters(settings: BuilderSettings) -> dict[str, Path | None]:
    """Return what stands for the runners where no engine is: our own Python, and this machine's Node if it has one."""
    python, node = Path(sys.executable), shutil.which("node")
    return {
        settings.runner_python: python,
        settings.runner_static: python,
        settings.runner_node: None if node is None else Path(node),
    }


def node_of(settings: BuilderSettings) -> Node:
    scratch = settings.home / "builds"
    scratch.mkdir(parents=True, exist_ok=True)
    locks = NodeLocks(settings.home / "locks")
    locks.reap()
    reap_workspaces(scratch)
    return Node(
        name=settings.node,
        installation=settings.installation,
        runtime=settings.runtime,
        runners=settings.runners | ({DOCKERFILE: DOCKERFILE} if settings.runtime == "docker" else {}),
        scratch=scratch,
        build_disk_bytes=settings.build_disk_bytes,
        locks=locks,
        shared=settings.builders > 1,
        intents=IntentFiles(settings.home / "intents"),
        shortage=partial(_shortage, settings),
        scratch_bytes=settings.scratch_bytes,
        disk_level=partial(_disk_level, settings),
    )


def _shortage(settings: BuilderSettings) -> Shortage | None:
    return shortage(measured(disks_of(settings)), settings.thresholds)


def _disk_level(settings: BuilderSettings) -> DiskLevel:
    return disk_level(measured(disks_of(settings)), settings.watermarks)


def disks_of(settings: BuilderSettings) -> tuple[Path, ...]:
    """Return where builds write: our own folder, and the engine's where it is on this machine."""
    return (settings.home, DOCKER_FOLDER) if settings.runtime == "docker" else (settings.home,)


def sources_of(settings: BuilderSettings) -> Sources:
    fetcher = GitSource(
        settings.home,
        local_repositories=settings.local_folders,
        loopback_allowed=settings.loopback_repositories,
        most_files=settings.source_files,
    )
    stores = (GitMirrors(settings.home / "mirrors"),)
    return Sources(fetcher, list_root, settings.builds_at_once, settings.inspections_at_once, stores)
