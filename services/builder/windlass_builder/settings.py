"""The builder's settings, from the environment."""

from pathlib import Path

from windlass_eventlog.settings import CommonSettings


class BuilderSettings(CommonSettings):
    """What the builder needs to know beyond what every service does."""

    subnet_pool: str = "10.192.0.0/10"
    runner_python: str = "windlass/runner-python:3.11"
    runner_node: str = "windlass/runner-node:22"
    runner_static: str = "windlass/runner-static:1"
    builds_at_once: int = 2
    inspections_at_once: int = 2
    build_disk_bytes: int = 4 * 1024**3
    local_repositories: str = ""
    """Folders, with colons between them, below which repositories of this machine itself may be deployed."""
    loopback_repositories: bool = False
    """Whether repositories that this machine serves to itself may be deployed: for trying out."""

    @property
    def runners(self) -> dict[str, str]:
        """What the runtime calls the runners, by the contract's names of them."""
        return {"python": self.runner_python, "node": self.runner_node, "static": self.runner_static}

    @property
    def local_folders(self) -> tuple[Path, ...]:
        return tuple(Path(folder) for folder in self.local_repositories.split(":") if folder)
