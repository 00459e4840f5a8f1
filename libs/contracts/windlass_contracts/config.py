"""How a project is built, run, probed and bounded: complete, so that a deployment's snapshot says it all."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from windlass_contracts.event import Record
from windlass_contracts.values import MAX_NUMBER, Command, HttpPath, Port, Seconds, SourceFolder, Token

MIB = 1024 * 1024

ProbeTimeout = Annotated[int, Field(ge=100, le=60_000, description="milliseconds for one answer")]
HttpStatusBound = Annotated[int, Field(ge=100, le=599)]
Memory = Annotated[int, Field(ge=16 * MIB, le=MAX_NUMBER, description="bytes")]
CpuMillis = Annotated[int, Field(ge=50, le=256_000, description="thousandths of a core")]


class HttpProbe(Record):
    """Healthy when GET on `path` answers a status in the range, `successes` times in a row."""

    kind: Literal["http"] = "http"
    path: HttpPath = "/"
    status_min: HttpStatusBound = 200
    status_max: HttpStatusBound = 399
    successes: Annotated[int, Field(ge=1, le=100)] = 1
    timeout_ms: ProbeTimeout = 5_000

    @model_validator(mode="after")
    def _range_is_not_empty(self) -> Self:
        if self.status_min > self.status_max:
            msg = "status_min is above status_max: no answer would do"
            raise ValueError(msg)
        return self


class TcpProbe(Record):
    """Healthy when the port takes a connection."""

    kind: Literal["tcp"] = "tcp"
    timeout_ms: ProbeTimeout = 5_000


class CommandProbe(Record):
    """Healthy when the command, run inside the container, exits with 0."""

    kind: Literal["command"] = "command"
    command: Command
    timeout_ms: ProbeTimeout = 5_000


Probe = Annotated[HttpProbe | TcpProbe | CommandProbe, Field(discriminator="kind")]


class Limits(Record):
    """What one container may use."""

    memory_bytes: Memory = 512 * MIB
    cpu_millis: CpuMillis = 1_000
    processes: Annotated[int, Field(ge=4, le=32_768)] = 256


class Deadlines(Record):
    """How long each step of a deployment may take before it counts as failed."""

    queued_s: Seconds = 3_600
    fetch_s: Seconds = 120
    build_s: Seconds = 900
    pre_deploy_s: Seconds = 600
    start_s: Seconds = 60
    health_s: Seconds = 60
    route_s: Seconds = 30


class Retirement(Record):
    """How a version that was replaced goes."""

    drain_s: Seconds = 1
    grace_s: Seconds = 30
    keep_warm_s: Annotated[int, Field(ge=0, le=86_400)] = 900


class DeploymentConfig(Record):
    """Everything about a deployment but its source and its variables. What is None is detected from the source."""

    runner: Token | None = None
    root: SourceFolder | None = None
    build_command: Command | None = None
    pre_deploy_command: Command | None = None
    start_command: Command | None = None
    port: Port = 8_000
    replicas: Annotated[int, Field(ge=1, le=100)] = 1
    probe: Probe = HttpProbe()
    limits: Limits = Limits()
    build_limits: Limits = Limits(memory_bytes=2_048 * MIB, cpu_millis=2_000, processes=1_024)
    deadlines: Deadlines = Deadlines()
    retirement: Retirement = Retirement()
