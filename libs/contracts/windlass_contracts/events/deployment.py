"""The life of a deployment, from its request to its end; `lifecycle` says what may follow what."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from windlass_contracts.config import DeploymentConfig, Limits
from windlass_contracts.event import Event, Record
from windlass_contracts.ids import DeploymentId, EnvironmentId, NoteId, PersonId, SecretId
from windlass_contracts.subjects import Aggregate, Service
from windlass_contracts.values import (
    Address,
    Bytes,
    Command,
    CommitSha,
    ContainerName,
    Count,
    Digest,
    ExitCode,
    GitRef,
    HttpStatus,
    ImageReference,
    LogSource,
    Milliseconds,
    NodeName,
    ObjectKey,
    Ordinal,
    Port,
    ReleaseRef,
    RepositoryUrl,
    Sentence,
    Sequence,
    Token,
    VariableName,
)


class GitSource(Record):
    """A commit of a repository. Without a commit the builder resolves the ref, and BuildStarted says to what."""

    kind: Literal["git"] = "git"
    repository: RepositoryUrl
    ref: GitRef | None = None
    commit: CommitSha | None = None


class UploadSource(Record):
    """An archive that was uploaded to the object store."""

    kind: Literal["upload"] = "upload"
    key: ObjectKey
    digest: Digest
    size_bytes: Bytes


class ImageSource(Record):
    """A ready image, pinned by its digest."""

    kind: Literal["image"] = "image"
    reference: ImageReference
    digest: Digest


Source = Annotated[GitSource | UploadSource | ImageSource, Field(discriminator="kind")]


class VariableVersion(Record):
    """A variable with the exact version of its value."""

    name: VariableName
    secret: SecretId


class DeploymentRequested(Event):
    """A deployment was accepted: from here it ends in exactly one of live, failed, canceled, superseded."""

    TYPE: ClassVar = "deployment.requested.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    environment: EnvironmentId
    source: Source
    trigger: Token
    config: DeploymentConfig
    variables: Annotated[tuple[VariableVersion, ...], Field(max_length=1_000)] = ()
    based_on: DeploymentId | None = None
    author: PersonId | None = None
    note: NoteId | None = None

    @field_validator("variables")
    @classmethod
    def _each_name_once(cls, variables: tuple[VariableVersion, ...]) -> tuple[VariableVersion, ...]:
        if len({variable.name for variable in variables}) < len(variables):
            msg = "a variable has one value"
            raise ValueError(msg)
        return variables


class DeploymentCanceled(Event):
    """Somebody ended the deployment before its cutover; the envelope's actor says who."""

    TYPE: ClassVar = "deployment.canceled.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY, Service.BUILDER})

    note: NoteId | None = None


class DeploymentSuperseded(Event):
    """A later request for the same environment and branch made this one pointless."""

    TYPE: ClassVar = "deployment.superseded.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY, Service.BUILDER, Service.ROUTER})

    by: DeploymentId


class BuildStarted(Event):
    """A builder took the deployment. A later attempt takes over the commit that the first one resolved."""

    TYPE: ClassVar = "build.started.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER})

    node: NodeName
    attempt: Ordinal
    commit: CommitSha | None = None


class Recipe(Record):
    """How the release was built and how it starts, as given or as detected, and why.

    Without a start command the release starts by what its image says.
    """

    runner: Token
    build_command: Command | None = None
    start_command: Command | None = None
    detected_by: Token | None = None


class BuildSucceeded(Event):
    """The release exists and is never built again for this deployment."""

    TYPE: ClassVar = "build.succeeded.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER})

    node: NodeName
    release: ReleaseRef
    digest: Digest
    recipe: Recipe
    cache_hit: bool
    duration_ms: Milliseconds
    size_bytes: Bytes | None = None


class ContainerStarted(Event):
    """A container of the release runs at this address, which is nobody else's as long as it exists."""

    TYPE: ClassVar = "container.started.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER})

    node: NodeName
    container: ContainerName
    replica: Count
    address: Address
    port: Port
    limits: Limits
    runtime: Token
    duration_ms: Milliseconds


class ContainerPaused(Event):
    """The container is kept warm: frozen, with its memory and its address, ready to be resumed."""

    TYPE: ClassVar = "container.paused.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER})

    node: NodeName
    container: ContainerName


class ContainerResumed(Event):
    """The paused container runs again; it counts as healthy only once it was probed again."""

    TYPE: ClassVar = "container.resumed.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER})

    node: NodeName
    container: ContainerName


class ContainerStopped(Event):
    """The container does not run any more: stopped by us, or gone by itself."""

    TYPE: ClassVar = "container.stopped.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER})

    node: NodeName
    container: ContainerName
    why: Token
    exit_code: ExitCode | None = None
    out_of_memory: bool = False


class Healthy(Event):
    """The probe was answered as the project wants it."""

    TYPE: ClassVar = "health.passed.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.MONITOR})

    container: ContainerName
    probe: Token
    status: HttpStatus | None = None
    tries: Ordinal
    duration_ms: Milliseconds


class Unhealthy(Event):
    """A container that was healthy does not answer as it should any more."""

    TYPE: ClassVar = "health.lost.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.MONITOR})

    container: ContainerName
    probe: Token
    code: Token
    status: HttpStatus | None = None
    failures: Ordinal


class CutoverStarted(Event):
    """From here a cancel is refused: the deployment wins or fails by routing alone, to these containers."""

    TYPE: ClassVar = "cutover.started.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.ROUTER})

    containers: Annotated[tuple[ContainerName, ...], Field(min_length=1, max_length=1_000)]


class DeploymentLive(Event):
    """Its aliases answer with it, confirmed by every proxy at this generation of the routes."""

    TYPE: ClassVar = "deployment.live.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.ROUTER})

    generation: Sequence
    duration_ms: Milliseconds


class Stage(StrEnum):
    """Where a deployment failed."""

    FETCH = "fetch"
    BUILD = "build"
    PRE_DEPLOY = "pre-deploy"
    START = "start"
    HEALTH = "health"
    ROUTE = "route"
    DEADLINE = "deadline"


class LogRange(Record):
    """The lines that show why, numbered within their source (a build, a container) from 0, both ends included."""

    source: LogSource
    first: Count
    last: Count

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.first > self.last:
            msg = "first is behind last"
            raise ValueError(msg)
        return self


class Failed(Event):
    """The deployment ended without taking an address; what was live before stays live."""

    TYPE: ClassVar = "deployment.failed.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER, Service.MONITOR, Service.ROUTER, Service.GATEWAY})

    stage: Stage
    code: Token
    reason: Sentence
    exit_code: ExitCode | None = None
    log: LogRange | None = None
