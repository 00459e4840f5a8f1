"""What the supervisor and the services' parent say to each other: one JSON object a line, over a socket pair."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def line(self) -> bytes:
        return self.model_dump_json().encode() + b"\n"


class Fork(_Message):
    """Start a service: `target` is `module:function`, `environment` are its settings."""

    kind: Literal["fork"] = "fork"
    name: str
    target: str
    environment: dict[str, str]
    log: str


class Signal(_Message):
    """Send a signal to a child, if it is still there."""

    kind: Literal["signal"] = "signal"
    pid: int
    number: int


class Preloaded(_Message):
    """All modules that could be imported are; from now on services can be forked."""

    kind: Literal["preloaded"] = "preloaded"


class Forked(_Message):
    kind: Literal["forked"] = "forked"
    name: str
    pid: int


class Ready(_Message):
    """The service called `started`."""

    kind: Literal["ready"] = "ready"
    pid: int


class Exited(_Message):
    kind: Literal["exited"] = "exited"
    pid: int
    code: int


ORDER: TypeAdapter[Fork | Signal] = TypeAdapter(Annotated[Fork | Signal, Field(discriminator="kind")])
REPORT: TypeAdapter[Preloaded | Forked | Ready | Exited] = TypeAdapter(
    Annotated[Preloaded | Forked | Ready | Exited, Field(discriminator="kind")]
)
