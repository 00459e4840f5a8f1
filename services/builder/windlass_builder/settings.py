"""The builder's settings, from the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from windlass_builder.domain.room import Thresholds, Watermarks
from windlass_eventlog.settings import CommonSettings


class BuilderSettings(CommonSettings):
    """What the builder needs to know beyond what every service does."""

    subnet_pool: str = "10.192.0.0/10"
    runner_python: str = "windlass/runner-python:3.11"
    runner_node: str = "windlass/runner-node:22"
    runner_static: str = "windlass/runner-static:1"
    builders: Annotated[int, Field(ge=1, le=16)] = 1
    """How many builders are at work on this node, this one among them."""
    builder: Annotated[int, Field(ge=1, le=16)] = 1
    """Which of them this one is."""
    builds_at_once: Annotated[int, Field(ge=1, le=64)] = 2
    """How many builds each of them has under way."""
    free_disk_percent: Annotated[float, Field(ge=0, le=90)] = 10
    free_disk_bytes: Annotated[int, Field(ge=0)] = 2 * 1024**3
    free_memory_bytes: Annotated[int, Field(ge=0)] = 256 * 1024**2
    """With less than this left, of the disk or of the memory, the node begins no build."""
    scarce_disk_percent: Annotated[float, Field(ge=0, le=95)] = 12
    scarce_disk_bytes: Annotated[int, Field(ge=0)] = 3 * 1024**3
    """With less of the disk left than this, the node deletes caches, and then releases that nothing points at."""
    ample_disk_percent: Annotated[float, Field(ge=0, le=99)] = 15
    ample_disk_bytes: Annotated[int, Field(ge=0)] = 4 * 1024**3
    """It does so until so much is left."""
    inspections_at_once: int = 2
    source_files: Annotated[int, Field(ge=1_000, le=5_000_000)] = 200_000
    """How many files a commit may have that is deployed, its submodules' with them."""
    build_disk_bytes: Annotated[int, Field(ge=2**20)] = 4 * 1024**3
    """What one build may write."""
    scratch_bytes: Annotated[int, Field(ge=16 * 2**20)] = 10 * 1024**3
    """What each container may write outside of its volumes at most."""
    dockerfile_memory_bytes: Annotated[int, Field(ge=64 * 2**20)] | None = None
    """What the steps of all Dockerfiles may use together; without it, half of the machine's."""
    dockerfile_cpus: Annotated[float, Field(ge=0.1, le=1_024)] | None = None
    """All of the machine's without it, at an eighth of an app's share."""
    dockerfile_processes: Annotated[int, Field(ge=16)] = 4_096
    spare_cores: Annotated[int, Field(ge=0, le=1_024)] = 1
    """How many of the machine's cores no build runs on, as long as it has more than that."""
    local_repositories: str = ""
    """Folders, with colons between them, below which repositories of this machine itself may be deployed."""
    loopback_repositories: bool = False
    """Whether repositories that this machine serves to itself may be deployed: for trying out."""

    @property
    def watermarks(self) -> Watermarks:
        """Each at least at the one below it: a node that refuses builds cleans up, whatever it was told."""
        scarce_percent = max(self.free_disk_percent, self.scarce_disk_percent)
        scarce_bytes = max(self.free_disk_bytes, self.scarce_disk_bytes)
        return Watermarks(
            scarce_percent=scarce_percent,
            scarce_bytes=scarce_bytes,
            ample_percent=max(scarce_percent, self.ample_disk_percent),
            ample_bytes=max(scarce_bytes, self.ample_disk_bytes),
        )

    @property
    def thresholds(self) -> Thresholds:
        return Thresholds(
            disk_percent=self.free_disk_percent,
            disk_bytes=self.free_disk_bytes,
            memory_bytes=self.free_memory_bytes,
        )

    @property
    def runners(self) -> dict[str, str]:
        """What the runtime calls the runners, by the contract's names of them."""
        return {"python": self.runner_python, "node": self.runner_node, "static": self.runner_static}

    @property
    def local_folders(self) -> tuple[Path, ...]:
        return tuple(Path(folder) for folder in self.local_repositories.split(":") if folder)
