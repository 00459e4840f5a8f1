"""Runners as folders: a copy of the release, what it was made from, and what its supervisor says of it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from windlass_builder.adapters.processes import folders
from windlass_builder.adapters.processes.releases import ReleaseFolder
from windlass_builder.adapters.processes.supervision.record import (
    KEPT_FILE,
    SPECIFICATION_FILE,
    STATE_FILE,
    write_whole,
)
from windlass_builder.domain.releases import runner_digest
from windlass_builder.domain.workloads import (
    Address,
    Created,
    Exited,
    Paused,
    Restarting,
    Runner,
    RunnerSpec,
    RunnerState,
    Running,
    Volume,
)

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class RunnerFolder:
    """A runner that exists. `marks` is what its events say of it."""

    path: Path
    digest: str
    port: int
    release: str
    python: str
    marks: dict[str, str]
    volumes: tuple[str, ...] = ()

    @property
    def kept(self) -> Path:
        return self.path / KEPT_FILE

    def mounts_volume(self, volume: Volume) -> bool:
        return _volume(volume) in self.volumes

    def runner(self, *, supervised: bool) -> Runner:
        return Runner(
            name=self.marks["name"],
            id=self.marks["id"],
            project=UUID(self.marks["project"]),
            deployment=UUID(self.marks["deployment"]),
            release=self.release,
            address=Address(_LOOPBACK, self.port),
            state=_state(self._said(), supervised=supervised),
            restarts=int(self._said().get("restarts", 0)),
        )

    def _said(self) -> dict[str, Any]:
        try:
            said: dict[str, Any] = json.loads((self.path / STATE_FILE).read_text())
        except FileNotFoundError:
            return {}
        return said


def read_runner(path: Path) -> RunnerFolder | None:
    """Return the runner in the folder, None where there is none."""
    try:
        about = json.loads((path / SPECIFICATION_FILE).read_text())
    except FileNotFoundError:
        return None
    return RunnerFolder(path, **about)


def draft_of(path: Path) -> Path:
    """Return where a runner is made, before it is there."""
    return path.with_name(f".new-{path.name}")


def make_runner(path: Path, spec: RunnerSpec, release: ReleaseFolder, port: int, user: int | None) -> None:
    """Make the runner's folder, whole or not at all. Blocks. Its environment is not written down."""
    draft = draft_of(path)
    folders.remove(draft)
    draft.mkdir(mode=0o711)
    folders.copy(release.app, draft / "app")
    if user is not None:
        folders.give(draft / "app", user)
    marks = {
        "name": spec.name,
        "id": uuid4().hex,
        "project": str(spec.project),
        "deployment": str(spec.deployment),
    }
    about = {
        "digest": runner_digest(spec),
        "port": port,
        "release": spec.release,
        "python": release.runner,
        "marks": marks,
        "volumes": [_volume(mount.volume) for mount in spec.mounts],
    }
    write_whole(str(draft / SPECIFICATION_FILE), about)
    draft.rename(path)


def _volume(volume: Volume) -> str:
    return f"{volume.project}/{volume.environment}/{volume.name}"


def _state(said: dict[str, Any], *, supervised: bool) -> RunnerState:
    match said.get("status"):
        case None:
            return Created()
        case "exited":
            return Exited(said["exit_code"], said["out_of_memory"])
        case _ if not supervised:
            return Exited(137, out_of_memory=False)  # the supervisor was killed, and the app with it
        case "running":
            return Running(datetime.fromtimestamp(said["started_at"] / 1e9, UTC))
        case "paused":
            return Paused()
        case _:
            return Restarting(said["exit_code"])
