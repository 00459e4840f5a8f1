"""Requests and answers, as the bucket OPERATIONS holds them: JSON, under `request.<service>` and `answer.<service>`."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from windlass_contracts.subjects import Service
from windlass_eventlog.operations.findings import Verified


class Kind(StrEnum):
    """What a service can be asked to do."""

    REBUILD = "rebuild"
    """Fold all rows from the log anew, beside the live ones, and put them in their place."""

    VERIFY = "verify"
    """Look whether what always holds does hold, and change nothing."""

    STATE = "state"
    """Say how far the rows are, and whether they stand still."""

    COLLECT = "collect"
    """Delete what no deployment needs any more, now; of the services the builder alone knows it."""

    COLLECTABLE = "collectable"
    """Say what that would delete, and change nothing."""

    REMOVE_VOLUME = "remove-volume"
    """Delete a volume of a project with all that is in it, for ever, unless something has it mounted."""


OF_PROJECTS = frozenset({Kind.COLLECT, Kind.COLLECTABLE})
"""What can be asked for of one project alone."""
DELETING = frozenset({Kind.COLLECT, Kind.REMOVE_VOLUME})
"""What has changed something already when it is cut short."""


class VolumeNamed(BaseModel):
    """A volume of a project."""

    model_config = ConfigDict(frozen=True)

    environment: UUID
    name: str


class Request(BaseModel):
    """What somebody asks for; `by` is an actor as the log names it.

    `project` bounds what is done to one project, where the operation is about what projects have; `volume` is the one
    that is to be removed.
    """

    model_config = ConfigDict(frozen=True)

    id: UUID
    kind: Kind
    by: str
    at: datetime
    project: UUID | None = None
    volume: VolumeNamed | None = None


class Accepted(BaseModel):
    """The service has seen the request, and begins."""

    model_config = ConfigDict(frozen=True)

    state: Literal["accepted"] = "accepted"


class Running(BaseModel):
    """The service is at it. `total` is 0 as long as nobody knows."""

    model_config = ConfigDict(frozen=True)

    state: Literal["running"] = "running"
    doing: str
    done: int = 0
    total: int = 0


class Rebuilt(BaseModel):
    """The outcome of a rebuild."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["rebuild"] = "rebuild"
    sequence: int
    """The rows were folded from the log up to here when they were put in place."""
    seconds: float


class Halt(BaseModel):
    """Why the rows stand still, right before a sequence."""

    model_config = ConfigDict(frozen=True)

    sequence: int
    why: str


class Standing(BaseModel):
    """How far the rows are."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["state"] = "state"
    position: int
    halt: Halt | None


class Collectable(BaseModel):
    """Something that went, or would go, with the rule that it falls under."""

    model_config = ConfigDict(frozen=True)

    project: UUID | None = None
    """None for what no project names."""
    kind: str
    name: str
    why: str
    size: int | None
    """In bytes, parts that it shares with others included; None where nobody can tell any more."""


class Collected(BaseModel):
    """The outcome of a collection, or of a look at what one would delete."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["collect"] = "collect"
    items: tuple[Collectable, ...]
    left_out: int = 0
    """How many more there are, that had no room here."""


Result = Annotated[Rebuilt | Verified | Standing | Collected, Field(discriminator="kind")]


class Done(BaseModel):
    """It is done."""

    model_config = ConfigDict(frozen=True)

    state: Literal["done"] = "done"
    result: Result


class Failed(BaseModel):
    """It could not be done. Nothing was changed by it, except by a collection: what went before is in the log."""

    model_config = ConfigDict(frozen=True)

    state: Literal["failed"] = "failed"
    reason: str
    remedy: str


class Silent(BaseModel):
    """Said by who asked: the service gives no sign of life."""

    model_config = ConfigDict(frozen=True)

    state: Literal["silent"] = "silent"
    reason: str
    remedy: str


State = Annotated[Accepted | Running | Done | Failed | Silent, Field(discriminator="state")]


class Answer(BaseModel):
    """How far a service is with a request. It is written anew every second while the service is at it."""

    model_config = ConfigDict(frozen=True)

    request: UUID
    at: datetime
    state: State

    @property
    def is_last(self) -> bool:
        return isinstance(self.state, Done | Failed | Silent)


WITHDRAWN = b""
"""In the place of a request that nobody heard."""


def request_key(service: Service) -> str:
    return f"request.{service}"


def answer_key(service: Service) -> str:
    return f"answer.{service}"
