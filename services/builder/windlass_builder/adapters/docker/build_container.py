"""A locked-up container in which one build command runs.

The command's environment is given to the command (exec) and not to the container: a commit bakes the container's
environment into the image, and merges it into whatever configuration it is given.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from typing import Any

from aiodocker import DockerError
from aiodocker.containers import DockerContainer
from aiodocker.execs import Exec

from windlass_builder.adapters.build_environment import build_environment
from windlass_builder.adapters.docker.disk_guard import first_of, until_full
from windlass_builder.adapters.docker.hardening import APP_FOLDER, APP_USER, SEARCH_PATH, locked_up
from windlass_builder.adapters.output import LineAssembler
from windlass_builder.application.runtime import OutputSink
from windlass_builder.application.runtime_errors import (
    BuildError,
    BuildExitedError,
    BuildOutOfDiskError,
    BuildOutOfMemoryError,
    BuildOutOfProcessesError,
    BuildTimedOutError,
)
from windlass_builder.domain.flood import Flood
from windlass_builder.domain.workloads import BuildStep, OutputStream

CACHE_FOLDER = "/cache"

_ENVIRONMENT = {
    "PATH": SEARCH_PATH,
    "HOME": "/tmp",  # noqa: S108 - a volume of the build's own
    **build_environment(CACHE_FOLDER),
}
# A build gives way to running apps: they have 1024 shares each.
_CPU_SHARES = 128
# What the kernel counted against the container's limits, in cgroup v1 and v2, as `<file>:<key> <count>` lines.
_COUNTERS = (
    "grep -H . /sys/fs/cgroup/memory/memory.oom_control /sys/fs/cgroup/pids/pids.events"
    " /sys/fs/cgroup/memory.events /sys/fs/cgroup/pids.events 2>/dev/null"
)
_FILE_TOO_LARGE = 128 + signal.SIGXFSZ
_STREAMS = {1: OutputStream.STDOUT, 2: OutputStream.STDERR}


def build_configuration(image: str, step: BuildStep, network: str, cache: str, cores: str) -> dict[str, Any]:
    """Return the configuration of a container that waits for its command, without any environment.

    It runs on these `cores`, or on all where none is named.
    """
    host = locked_up(step.limits)
    host["Ulimits"].append({"Name": "fsize", "Soft": step.disk, "Hard": step.disk})
    return {
        "Image": image,
        "User": f"{APP_USER}:{APP_USER}",
        "Entrypoint": [],
        "Cmd": ["sleep", "infinity"],
        "WorkingDir": APP_FOLDER,
        "HostConfig": {
            **host,
            "CpuShares": _CPU_SHARES,
            "CpusetCpus": cores,
            "NetworkMode": network,
            "LogConfig": {"Type": "none"},  # the output comes from the command itself
            "Mounts": [
                {"Type": "volume", "Source": cache, "Target": CACHE_FOLDER},
                {"Type": "volume", "Target": "/tmp"},  # noqa: S108 - on disk, and no part of the release
            ],
        },
    }


async def run_step(container: DockerContainer, step: BuildStep, output: OutputSink) -> None:
    """Run the command in the started container until it ends; the caller kills the container whatever happens.

    Raises: BuildError, DockerError.
    """
    command = await container.exec(["/bin/sh", "-c", step.command], environment={**_ENVIRONMENT, **step.environment})
    try:
        async with asyncio.timeout(step.timeout.total_seconds()):
            if not await first_of(_relay(command, output), until_full(container, step.disk)):
                raise BuildOutOfDiskError(step.disk)
    except TimeoutError as error:
        raise BuildTimedOutError(step.timeout) from error
    exit_code = (await command.inspect())["ExitCode"]
    written = (await container.show(size=True)).get("SizeRw", 0)
    if written >= step.disk or exit_code == _FILE_TOO_LARGE:
        raise BuildOutOfDiskError(step.disk)
    if exit_code:
        raise await _failure(container, step, exit_code)


async def _relay(command: Exec, output: OutputSink) -> None:
    assembler = LineAssembler(Flood())
    async with command.start() as messages:
        while (message := await messages.read_out()) is not None:
            for line in assembler.feed(_STREAMS[message.stream], message.data):
                await output(line)
    for line in assembler.rest():
        await output(line)


async def _failure(container: DockerContainer, step: BuildStep, exit_code: int) -> BuildError:
    """Return why the command failed: a limit that the kernel enforced says more than an exit code."""
    counted = [line async for line in _counters(container)]
    if _reached(counted, "memory", "oom_kill"):
        return BuildOutOfMemoryError(step.limits.memory)
    if _reached(counted, "pids", "max"):
        return BuildOutOfProcessesError(step.limits.pids)
    return BuildExitedError(exit_code)


async def _counters(container: DockerContainer) -> AsyncIterator[bytes]:
    command = await container.exec(["/bin/sh", "-c", _COUNTERS])
    text = b""
    async with command.start() as messages:
        while (message := await messages.read_out()) is not None:
            text += message.data
    for line in text.splitlines():
        yield line


def _reached(counters: list[bytes], controller: str, key: str) -> bool:
    """Return whether the controller's file counts more than 0 under the key."""
    for line in counters:
        path, _, counter = line.partition(b":")
        name, _, count = counter.partition(b" ")
        if controller.encode() in path.rsplit(b"/", 1)[-1] and name == key.encode() and count.isdigit() and int(count):
            return True
    return False


async def kill(container: DockerContainer) -> None:
    """Kill everything in the container and wait until it has ended; nothing happens where it has."""
    try:
        await container.kill()
    except DockerError as error:
        if error.status not in {404, 409}:
            raise
        return
    await container.wait()
