"""Persistent volumes as the engine's named ones: made when they are first mounted, and given to the app's user."""

import asyncio
import io
import re
import tarfile
from collections import defaultdict
from http import HTTPStatus
from typing import Any
from uuid import UUID

from aiodocker import Docker, DockerError
from aiodocker.containers import DockerContainer

from windlass_builder.adapters.docker.engine import is_conflict, is_missing
from windlass_builder.adapters.docker.hardening import APP_USER
from windlass_builder.adapters.docker.labels import ENVIRONMENT, PROJECT, VOLUME, Role, having, labels
from windlass_builder.adapters.docker.ownership import require_ours
from windlass_builder.application.runtime_errors import VolumeInUseError
from windlass_builder.domain.names import volume_name
from windlass_builder.domain.workloads import Mount, Volume, VolumeFound

_ID = re.compile("[0-9]{1,10}")
"""Images are anybody's: their lists of users may hold anything."""
_SUPERUSERS = frozenset({"", "0", "root"})
_MOST_OF_IT = 256 * 1024
"""Of an archive; what is looked at is the first thing in it, and small."""


def volume_mount(installation: str, mount: Mount) -> dict[str, Any]:
    """Return how a container's configuration names the volume. One that is gone is made anew, with its labels."""
    volume = mount.volume
    marks = {ENVIRONMENT: str(volume.environment), VOLUME: volume.name}
    return {
        "Type": "volume",
        "Source": volume_name(installation, volume),
        "Target": mount.path,
        "VolumeOptions": {"Labels": {**labels(installation, Role.VOLUME, volume.project), **marks}},
    }


class Volumes:
    """The volumes of an installation."""

    def __init__(self, docker: Docker, installation: str) -> None:
        self._docker = docker
        self._installation = installation

    async def give(self, container: DockerContainer, mounts: tuple[Mount, ...]) -> None:
        """Let the user of a container that was made, and not started yet, write to its volumes.

        A volume that still belongs to root is a new one, whoever died before it was given away: no app can make it
        root's again.

        Raises: DockerError.
        """
        if not mounts:
            return
        user, group = await self._user_of(container)
        for mount in mounts:
            entry, _ = await self._first_of(container, mount.path)
            if user and entry.uid == 0:
                entry.name = mount.path.strip("/")
                entry.uid, entry.gid, entry.uname, entry.gname = user, group, "", ""
                await container.put_archive("/", _archive(entry))

    async def require_ours(self, mounts: tuple[Mount, ...]) -> None:
        """Do nothing with volumes that are ours, or that there are not yet.

        Raises: NameTakenError, DockerError.
        """
        for mount in mounts:
            name = volume_name(self._installation, mount.volume)
            try:
                found = await (await self._docker.volumes.get(name)).show()
            except DockerError as error:
                if not is_missing(error):
                    raise
            else:
                require_ours("volume", name, found["Labels"], self._installation)

    async def all(self) -> list[VolumeFound]:
        """Return all volumes with their sizes, as the engine measures them.

        Raises: DockerError.
        """
        ours = {"label": having(self._installation, role=Role.VOLUME)["label"]}
        listed = (await self._docker.volumes.list(filters=ours))["Volumes"] or []
        if not listed:
            return []
        # Engines before API 1.42 measure images and containers as well.
        measured, users = await asyncio.gather(self._get("/system/df", {"type": "volume"}), self._users())
        sizes = {volume["Name"]: volume["UsageData"]["Size"] for volume in measured["Volumes"] or []}
        return [
            VolumeFound(
                volume=Volume(UUID(marks[PROJECT]), UUID(marks[ENVIRONMENT]), marks[VOLUME]),
                size=max(0, sizes.get(volume["Name"], 0)),
                users=tuple(users[volume["Name"]]),
            )
            for volume in listed
            for marks in [volume["Labels"]]
        ]

    async def remove(self, volume: Volume) -> None:
        """Delete the volume with all that is in it. Nothing happens where there is none.

        Raises: VolumeInUseError, DockerError.
        """
        name = volume_name(self._installation, volume)
        try:
            await (await self._docker.volumes.get(name)).delete()
        except DockerError as error:
            if is_conflict(error):
                raise VolumeInUseError(volume.name, tuple((await self._users())[name])) from error
            if not is_missing(error):
                raise

    async def _users(self) -> defaultdict[str, list[str]]:
        """Return the names of the containers, running or not, by the volumes that they have."""
        found = defaultdict[str, list[str]](list)
        for container in await self._docker.containers.list(all=True, filters=having(self._installation)):
            for mount in container["Mounts"]:
                if mount.get("Name"):
                    found[mount["Name"]].append(container["Names"][0].removeprefix("/"))
        return found

    async def _user_of(self, container: DockerContainer) -> tuple[int, int]:
        """Return the ids of the user as whom the container runs; names are looked up in its own list of users."""
        user, _, group = str((await container.show())["Config"].get("User") or "").partition(":")
        if user in _SUPERUSERS:
            return 0, 0
        if not _ID.fullmatch(user):
            _, users = await self._first_of(container, "/etc/passwd")
            user, group = user_named(user, users.decode(errors="replace"))
        return int(user), int(group) if _ID.fullmatch(group) else int(user)

    async def _first_of(self, container: DockerContainer, path: str) -> tuple[tarfile.TarInfo, bytes]:
        """Return what lies at a path inside of a container, and its beginning where it is a file."""
        url = f"{self._url}/containers/{container.id}/archive"
        async with self._docker.session.get(url, params={"path": path}) as answer:
            if answer.status != HTTPStatus.OK:
                raise DockerError(answer.status, (await answer.json())["message"])
            begun = b""
            while len(begun) < _MOST_OF_IT and (part := await answer.content.read(_MOST_OF_IT - len(begun))):
                begun += part
        with tarfile.open(fileobj=io.BytesIO(begun), mode="r:") as archive:
            entry = archive.next()
            if entry is None:
                raise DockerError(HTTPStatus.NOT_FOUND, f"there is nothing at {path}")
            content = archive.extractfile(entry) if entry.isreg() else None
            return entry, b"" if content is None else content.read()

    async def _get(self, path: str, parameters: dict[str, str]) -> dict[str, Any]:
        async with self._docker.session.get(f"{self._url}{path}", params=parameters) as answer:
            body: dict[str, Any] = await answer.json()
            if answer.status != HTTPStatus.OK:
                raise DockerError(answer.status, body["message"])
            return body

    @property
    def _url(self) -> str:
        return f"{self._docker.docker_host}/{self._docker.api_version}"


def user_named(name: str, users: str) -> tuple[str, str]:
    """Return the ids of a user and their group by what an image has as passwd(5); the app's user where it says none."""
    for line in users.splitlines():
        known, _, uid, gid, *_ = (*line.split(":"), "", "", "", "")
        if known == name and _ID.fullmatch(uid):
            return uid, gid
    return str(APP_USER), ""


def _archive(entry: tarfile.TarInfo) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.addfile(entry)
    return content.getvalue()
