"""What a node says of itself, in the bucket NODES under its name: written by its builders, read by whoever shows it.

It is what was true at `at`, and no history: what matters for good stands in the log. Every field but that is optional,
so that readers and writers of different releases get on.
"""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class QueuePlace(_Said):
    """A deployment that waits for its build: its place, from 1, and why it is not built yet, in a sentence."""

    deployment: UUID
    position: int
    reason: str = ""


class Refusing(_Said):
    """Why the node begins no builds: in a word for programs, in a sentence for people."""

    code: str
    reason: str


class NodeState(_Said):
    """Sizes are in bytes; `volumes` are those of projects, by name (`volume_key`), `mounted` says where they are.

    They are measured now and then, and at most some thousand of them are told.
    """

    at: datetime
    builders: int = 1
    building: tuple[UUID, ...] = ()
    queue: tuple[QueuePlace, ...] = ()
    refusing: Refusing | None = None
    disk_free: int | None = None
    disk_total: int | None = None
    memory_free: int | None = None
    memory_total: int | None = None
    volumes: dict[str, int] = {}
    mounted: dict[str, tuple[UUID, ...]] = {}
    """The deployments whose containers have a volume, those that do not run among them."""


def volume_key(project: UUID, environment: UUID, name: str) -> str:
    """Return what a node calls a volume in what it says."""
    return f"{project}/{environment}/{name}"


def volume_of(key: str) -> tuple[UUID, UUID, str] | None:
    """Return project, environment and name of a volume that a node told; None where this release cannot read that."""
    parts = key.split("/")
    try:
        project, environment, name = parts
        return UUID(project), UUID(environment), name
    except ValueError:
        return None


def node_state(content: bytes) -> NodeState | None:
    """Return what a node said; None where this release cannot read it."""
    try:
        return NodeState.model_validate_json(content)
    except ValidationError:
        return None
