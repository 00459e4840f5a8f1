"""The control group that all apps share, beside the engine's own, in which builds run.

Within one group a build's processes keep the group busy, so that an app which wakes up waits for its turn among those
of all other groups. In a group of their own apps are behind with what is due to them, and go first.
"""

from typing import Any

from aiodocker import Docker

_GROUPS = {"cgroupfs": "/windlass-apps", "systemd": "windlass-apps.slice"}
"""By who manages the engine's groups; an engine without root has none."""


class AppGroup:
    """Where the containers of apps go; the engine is asked once."""

    def __init__(self, docker: Docker) -> None:
        self._docker = docker
        self._settings: dict[str, Any] | None = None

    async def settings(self) -> dict[str, Any]:
        """Return what of it a container's host configuration has to say.

        Raises: DockerError.
        """
        if self._settings is None:
            group = _GROUPS.get((await self._docker.system.info())["CgroupDriver"])
            self._settings = {} if group is None else {"CgroupParent": group}
        return self._settings
