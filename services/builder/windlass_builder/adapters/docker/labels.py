"""The labels that all containers, networks, images and volumes of an installation bear, and filters that find them."""

from enum import StrEnum
from uuid import UUID

INSTALLATION = "dev.windlass.installation"
PROJECT = "dev.windlass.project"
DEPLOYMENT = "dev.windlass.deployment"
ROLE = "dev.windlass.role"
RELEASE = "dev.windlass.release"
PORT = "dev.windlass.port"
ENVIRONMENT = "dev.windlass.environment"
VOLUME = "dev.windlass.volume"
SPECIFICATION = "dev.windlass.specification"


class Role(StrEnum):
    BUILD = "build"
    RUNNER = "runner"
    NETWORK = "network"
    RELEASE = "release"
    LAYER = "layer"
    CACHE = "cache"
    VOLUME = "volume"


def labels(installation: str, role: Role, project: UUID) -> dict[str, str]:
    return {INSTALLATION: installation, ROLE: role, PROJECT: str(project)}


def having(installation: str, *, role: Role | None = None, project: UUID | None = None) -> dict[str, list[str]]:
    """Return the engine's filter for what bears this installation's label, and the others where they are given."""
    wanted = [f"{INSTALLATION}={installation}"]
    if role is not None:
        wanted.append(f"{ROLE}={role}")
    if project is not None:
        wanted.append(f"{PROJECT}={project}")
    return {"label": wanted}
