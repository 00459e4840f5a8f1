"""Keeps a build from filling the disk while it runs: the disk is looked at often, for that costs next to nothing."""

import asyncio
import os
from collections.abc import Awaitable, Iterable
from pathlib import Path

from aiodocker.containers import DockerContainer

from windlass_builder.adapters.disk_use import occupied
from windlass_builder.adapters.machine import DOCKER_FOLDER

_LOOK_S = 0.25
"""How often; a disk that takes 2 GB a second is overrun by half of one."""
_STEPS = 16
"""A build is measured again each time that the disk has lost such a part of what it may write."""


def free_disk(folder: Path = DOCKER_FOLDER) -> int | None:
    """Return the bytes that are left where the engine keeps everything; None where it does so on another machine."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return None
    return disk.f_bavail * disk.f_frsize


async def until_fallen(by: int) -> None:
    """Return once the disk has that many bytes less left than now, whoever wrote them."""
    begun = free_disk()
    while begun is None or (left := free_disk()) is None or begun - left < by:  # noqa: ASYNC110 - a file system gives no signal
        await asyncio.sleep(_LOOK_S)


async def until_full(container: DockerContainer, disk: int) -> None:
    """Return once the container has written that much: into itself, its temporary files, or the cache of its project.

    It is measured only where the disk has less left than before. What it wrote into volumes shows where we may look.
    """
    folders = [Path(mount["Source"]) for mount in (await container.show())["Mounts"] if mount["Type"] == "volume"]
    before = await asyncio.to_thread(_occupied, folders)
    known = free_disk()
    while True:
        await asyncio.sleep(_LOOK_S)
        left = free_disk()
        if known is not None and left is not None and known - left < disk // _STEPS:
            known = max(known, left)
            continue
        known, own = left, (await container.show(size=True)).get("SizeRw", 0)
        if own + await asyncio.to_thread(_occupied, folders) - before >= disk:
            return


def _occupied(folders: Iterable[Path]) -> int:
    return sum(map(occupied, folders))


async def first_of(work: Awaitable[None], guard: Awaitable[None]) -> bool:
    """Return whether the work ended by itself; what it raised is raised. The other one is cancelled."""
    working, guarding = asyncio.ensure_future(work), asyncio.ensure_future(guard)
    try:
        done, _ = await asyncio.wait((working, guarding), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (working, guarding):
            task.cancel()
        await asyncio.gather(working, guarding, return_exceptions=True)
    if working not in done:
        guarding.result()
        return False
    working.result()
    return True
