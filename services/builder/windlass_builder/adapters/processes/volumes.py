"""Persistent volumes as folders, one below the other: project, environment, name."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from uuid import UUID

from windlass_builder.adapters import disk_use
from windlass_builder.adapters.processes import folders
from windlass_builder.application.runtime_errors import VolumeInUseError
from windlass_builder.domain.workloads import Mount, Volume, VolumeFound

# Behind those of runners and builds. All that shares volumes is one user, or nothing could be shared.
_FIRST_USER, _USERS = 1_800_000_000, 100_000_000


def user_of(mounts: Iterable[Mount]) -> int | None:
    """Return the user id of whatever mounts volumes of an environment, None where nothing is mounted."""
    environment = next((mount.volume.environment for mount in mounts), None)
    return None if environment is None else _FIRST_USER + environment.int % _USERS


class VolumeFolders:
    """The volumes below `home`. All of it blocks: call it in a thread."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def provided(self, mounts: Iterable[Mount], user: int | None) -> dict[str, Path]:
        """Return the folders by the paths that they are mounted at, the outer before the inner; new ones are made."""
        found = {mount.path: self._folder(mount.volume) for mount in sorted(mounts, key=lambda one: one.path)}
        for folder in found.values():
            folder.mkdir(parents=True, exist_ok=True)
            if user is not None and folder.stat().st_uid != user:
                os.chown(folder, user, user)
        return found

    def all(self, users: Callable[[Volume], tuple[str, ...]]) -> list[VolumeFound]:
        """Return all volumes; `users` says which runners have one mounted."""
        found = {path: path.relative_to(self._home).parts for path in sorted(self._home.glob("*/*/[!.]*"))}
        volumes = {path: Volume(UUID(project), UUID(of), name) for path, (project, of, name) in found.items()}
        return [
            VolumeFound(volume=volume, size=disk_use.size(path), users=users(volume))
            for path, volume in volumes.items()
        ]

    def remove(self, volume: Volume, users: tuple[str, ...]) -> None:
        """Delete the volume.

        Raises: VolumeInUseError.
        """
        if users:
            raise VolumeInUseError(volume.name, users)
        folders.remove(self._folder(volume))

    def _folder(self, volume: Volume) -> Path:
        return self._home / str(volume.project) / str(volume.environment) / volume.name
