"""How a project is built, run, probed and bounded: complete, so that a deployment's snapshot says it all."""

from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from windlass_contracts.event import Record
from windlass_contracts.source_values import PathPattern, SourceFile, SourceFolder
from windlass_contracts.values import MAX_NUMBER, Command, HttpPath, MountPath, Port, Seconds, Slug, Token

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
    """How many good answers in a row make it healthy."""
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


class Liveness(Record):
    """How a container that was healthy once is probed for as long as it runs."""

    every_s: Annotated[int, Field(ge=1, le=300)] = 5
    """Seconds between two probes while all is well; in doubt it is asked each second."""
    failures: Annotated[int, Field(ge=1, le=100)] = 3
    """How many bad answers in a row make it unhealthy."""
    successes: Annotated[int, Field(ge=1, le=100)] = 2
    """How many good answers in a row make it healthy again."""


class RestoreIn(StrEnum):
    """Where a version that fails soon after it went live gives way to the one before, by itself."""

    PRODUCTION = "production"
    EVERYWHERE = "everywhere"
    NOWHERE = "nowhere"


Percent = Annotated[int, Field(ge=1, le=100)]


class WatchWindow(Record):
    """The time after a deployment in which the version before is restored, if the new one fails."""

    restore_in: RestoreIn = RestoreIn.PRODUCTION
    window_s: Annotated[int, Field(ge=10, le=86_400)] = 300
    """From the moment at which the new version answers."""
    errors_percent: Percent = 50
    """The new version fails if so many of its answers, out of enough of them, have a status of 500 or more."""


class RolloutStep(Record):
    """A share of the requests, and for how long nothing may fail before the next step."""

    weight: Annotated[int, Field(ge=1, le=99, description="percent of the requests")]
    for_s: Seconds


class Rollout(Record):
    """A new version gets the environment step by step; after the last step it gets all of it."""

    steps: Annotated[tuple[RolloutStep, ...], Field(min_length=1, max_length=20)]

    @field_validator("steps")
    @classmethod
    def _ever_more(cls, steps: tuple[RolloutStep, ...]) -> tuple[RolloutStep, ...]:
        if any(later.weight <= earlier.weight for earlier, later in pairwise(steps)):
            msg = "each step has a higher weight than the one before"
            raise ValueError(msg)
        return steps


class Limits(Record):
    """What one container may use."""

    memory_bytes: Memory = 512 * MIB
    cpu_millis: CpuMillis = 1_000
    processes: Annotated[int, Field(ge=4, le=32_768)] = 256


class Deadlines(Record):
    """How long each step of a deployment may take before it counts as failed."""

    queued_s: Seconds = 3_600
    """Until a builder takes it."""
    fetch_s: Seconds = 120
    """For the source."""
    build_s: Seconds = 900
    """For the build command."""
    pre_deploy_s: Seconds = 600
    """For the command before the start."""
    start_s: Seconds = 60
    """For all containers to run."""
    health_s: Seconds = 60
    """From the start until every container is healthy."""
    route_s: Seconds = 30
    """For every proxy to confirm the routes."""


class Retirement(Record):
    """How a version that was replaced goes."""

    drain_s: Seconds = 1
    """How long it still gets no new request, and ends those it has."""
    grace_s: Seconds = 30
    """How long it may take to end, once told to, before it is killed."""
    keep_warm_s: Annotated[int, Field(ge=0, le=86_400)] = 900
    """How long it stays paused, so that a rollback is instant."""


class Volume(Record):
    """A folder that outlives deployments; all containers of the project's environment share it."""

    name: Slug
    path: MountPath


PathPatterns = Annotated[tuple[PathPattern, ...], Field(max_length=100)]


class DeploymentConfig(Record):
    """Everything about a deployment but its source and its variables. What is None is detected from the source."""

    runner: Token | None = None
    """The language's runner, such as `python`; `dockerfile` for an image that the source describes itself."""
    dockerfile: SourceFile | None = None
    """Below the root, for the runner `dockerfile`; `Dockerfile` without one."""
    root: SourceFolder | None = None
    """The folder of the repository that is built; its top without one."""
    build_command: Command | None = None
    pre_deploy_command: Command | None = None
    """Run once in the new release before it is started, for migrations."""
    start_command: Command | None = None
    port: Port = 8_000
    """Where the app listens; given to it as `PORT`."""
    replicas: Annotated[int, Field(ge=1, le=100)] = 1
    """How many containers run at once."""
    probe: Probe = HttpProbe()
    limits: Limits = Limits()
    """For each container of the app."""
    build_limits: Limits = Limits(memory_bytes=2_048 * MIB, cpu_millis=2_000, processes=1_024)
    """For the container that builds."""
    deadlines: Deadlines = Deadlines()
    retirement: Retirement = Retirement()
    include: PathPatterns = ()
    """A push deploys only if it changes one of these paths; every path without any."""
    exclude: PathPatterns = ()
    """Paths whose changes alone do not deploy."""
    scratch_bytes: Memory | None = None
    """What each container may write outside its volumes; as much as the node allows without one."""
    volumes: Annotated[tuple[Volume, ...], Field(max_length=20)] = ()
    keep_releases: Annotated[int, Field(ge=1, le=1_000)] = 10
    """How many of the newest releases stay for rollbacks, besides those that an address points at."""
    liveness: Liveness = Liveness()
    watch: WatchWindow = WatchWindow()
    rollout: Rollout | None = None
    """How it takes an environment that answers already; all of it at once without one."""

    @field_validator("volumes")
    @classmethod
    def _each_volume_once(cls, volumes: tuple[Volume, ...]) -> tuple[Volume, ...]:
        for values in ([volume.name for volume in volumes], [volume.path for volume in volumes]):
            if len(set(values)) < len(values):
                msg = "two volumes have the same name or the same path"
                raise ValueError(msg)
        return volumes
