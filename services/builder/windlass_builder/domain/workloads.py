"""What is asked of a node (releases, runners), and what it answers: plain values, known to every runtime."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a build or a runner may use: bytes of memory, CPUs, and processes and threads at once."""

    memory: int
    cpus: float
    pids: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildStep:
    """The command that turns the source into something that runs: by `sh -c`, in the folder of the source.

    The environment is seen by the command alone and is no part of the release. `environment_version` names the versions
    of its values (never made from the values: it goes into the release's public digest). `disk` is in bytes.
    """

    command: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    environment_version: str = ""
    limits: Limits
    disk: int
    timeout: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyLayer:
    """What is installed before the rest of the source is there; releases share it as long as its `files` are the same.

    `files` are names at the root of the source, with their SHA-256 in hex.
    """

    step: BuildStep
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSpec:
    """Everything that decides what a release contains; equal specifications share one release.

    `revision` names the source for ever: a commit's SHA, or an upload's digest. `root` is the folder of the repository
    that the archive was made of. Without a `step` the source is the release. The
    `layer` comes before the step.
    """

    project: UUID
    runner: str
    revision: str
    root: str = "."
    step: BuildStep | None = None
    layer: DependencyLayer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who one is to a registry."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerfileSpec:
    """A release that the source describes itself; equal ones share one release.

    `secrets` are given to the steps that ask for them by name, and to nobody else; `environment_version` names the
    versions of their values. `logins` are those of the registries that base images come from. `disk` is in bytes.
    """

    project: UUID
    revision: str
    root: str = "."
    dockerfile: str = "Dockerfile"
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    environment_version: str = ""
    logins: Mapping[str, Login] = field(default_factory=dict, repr=False)
    disk: int
    timeout: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyImageSpec:
    """An image of a registry, pinned by `digest` (`sha256:` and 64 hex digits)."""

    project: UUID
    reference: str
    digest: str
    login: Login | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """An immutable release on this node; `digest` is `sha256:` and 64 hex digits, `cache_hit` says it was there."""

    reference: str
    digest: str
    cache_hit: bool


class OutputStream(StrEnum):
    STDOUT = "stdout"
    STDERR = "stderr"


@dataclass(frozen=True, slots=True)
class OutputLine:
    """One line, without its line end, as it was written: any bytes, escape sequences included, at most 1 MiB.

    So many lines were `left_out` before it, for they were too many.
    """

    time: datetime
    stream: OutputStream
    data: bytes
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Volume:
    """A folder that outlives deployments: one of each name for an environment of a project."""

    project: UUID
    environment: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Mount:
    """A volume, and the absolute path at which a runner finds it."""

    volume: Volume
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeFound:
    """A volume that a node keeps: how many bytes are in it, and the runners that have it mounted, running or not."""

    volume: Volume
    size: int
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """How many bytes a runner has on the disk outside of its volumes and its release."""

    runner: str
    deployment: UUID
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A release of a project that a node has, or a layer of dependencies; `size` is in bytes, shared parts included.

    `on` names the layers that a release was built on.
    """

    reference: str
    project: UUID
    size: int
    layer: bool = False
    on: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Console:
    """That a runner's input and outputs are somebody's, byte by byte: through a terminal, or by three pipes."""

    terminal: bool
    rows: int = 24
    columns: int = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerSpec:
    """One app process to run, under a name that is the same each time the same runner is asked for.

    `command` is run by `sh -c`; without one the release says itself how it starts. The environment holds plain secrets:
    who may ask the engine about its containers can read them, as everywhere with Docker. `port` is told to the app as
    `PORT`, except where runners share one address (processes): there each gets a port of its own, and `Runner.address`
    says which. One with a `console` is started by `Runtime.attached` alone, and its output is in no log.
    """

    name: str
    project: UUID
    deployment: UUID
    release: str
    command: str | None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    port: int = 8000
    limits: Limits
    mounts: tuple[Mount, ...] = ()
    console: Console | None = None

    def under(self, name: str, command: str | None) -> "RunnerSpec":
        """Return the same with another name and another command."""
        return replace(self, name=name, command=command)

    def once(self, name: str, command: str, limits: Limits) -> "RunnerSpec":
        """Return the same for a command that runs once, within limits of its own."""
        return replace(self, name=name, command=command, limits=limits)

    def on(self, console: Console, terminal_name: str) -> "RunnerSpec":
        """Return the same with a console; programs know a terminal by its name."""
        told = {"TERM": terminal_name} if console.terminal else {}
        return replace(self, console=console, environment={**self.environment, **told})


@dataclass(frozen=True, slots=True)
class Address:
    """Where a runner is reached from this node, fixed for the runner's whole life and not another's soon after."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Created:
    """It was made, and never started."""


@dataclass(frozen=True, slots=True)
class Running:
    """It runs since `started_at`."""

    started_at: datetime


@dataclass(frozen=True, slots=True)
class Paused:
    """It stands still, in memory and ready to go on."""


@dataclass(frozen=True, slots=True)
class Restarting:
    """It exited, and the engine will start it again after a moment."""

    exit_code: int


@dataclass(frozen=True, slots=True)
class Exited:
    """It exited, or was stopped, and stays so until it is started."""

    exit_code: int
    out_of_memory: bool


RunnerState = Created | Running | Paused | Restarting | Exited


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """A runner as it is now; `id` is the engine's own id of it, `restarts` counts the engine's own restarts.

    One that is not `connected` has lost its network: nobody reaches it, and it cannot be started again as it is.
    """

    name: str
    id: str
    project: UUID
    deployment: UUID
    release: str
    address: Address
    state: RunnerState
    restarts: int = 0
    connected: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerEvent:
    """Something happened to a runner, whoever caused it; `id` is the engine's own id of it, if it tells."""

    runner: str
    project: UUID
    deployment: UUID
    at: datetime
    id: str = ""


class RunnerStarted(RunnerEvent):
    """It was started, by us or by the engine after an exit."""


class RunnerPaused(RunnerEvent):
    """It stands still."""


class RunnerResumed(RunnerEvent):
    """It goes on after a pause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerExited(RunnerEvent):
    """It ended, by itself or because it was stopped; 128 + n is the end by signal n."""

    exit_code: int
    out_of_memory: bool


class RunnerRemoved(RunnerEvent):
    """It is gone."""


@dataclass(frozen=True, slots=True)
class EventsResumed:
    """The engine answers again after a gap, or a network is gone: what happened may have left no event of its own.

    Compare with what is.
    """

    at: datetime
