"""The life of a deployment, from its request to its end; `lifecycle` says what may follow what."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from windlass_contracts.config import DeploymentConfig
from windlass_contracts.event import Event, Record
from windlass_contracts.ids import DeploymentId, EnvironmentId, NoteId, PersonId, SecretId
from windlass_contracts.source_values import GitRef, RepositoryUrl
from windlass_contracts.subjects import Aggregate, Service
from windlass_contracts.values import (
    Bytes,
    Command,
    CommitSha,
    ContainerName,
    Count,
    Digest,
    ExitCode,
    ImageReference,
    LogSource,
    Milliseconds,
    NodeName,
    ObjectKey,
    Ordinal,
    ReleaseRef,
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
    """The branch or tag that was asked for; the repository's default branch without one."""
    commit: CommitSha | None = None


class UploadSource(Record):
    """An archive that was uploaded to the object store."""

    kind: Literal["upload"] = "upload"
    key: ObjectKey
    """Where the archive lies in the object store."""
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
    """What asked for it: `api`, `cli`, `page`, `webhook`, `redeploy`."""
    config: DeploymentConfig
    """All of it, defaults too: later changes of the project or of a default do not reach it."""
    variables: Annotated[tuple[VariableVersion, ...], Field(max_length=1_000)] = ()
    """The exact versions, so that a rollback has the values of that day."""
    based_on: DeploymentId | None = None
    """The deployment that this one repeats."""
    author: PersonId | None = None
    """Who wrote the commit."""
    note: NoteId | None = None
    """The commit's subject line."""

    @field_validator("variables")
    @classmethod
    def _each_name_once(cls, variables: tuple[VariableVersion, ...]) -> tuple[VariableVersion, ...]:
        if len({variable.name for variable in variables}) < len(variables):
            msg = "a variable has one value"
            raise ValueError(msg)
        return variables


class DeploymentCanceled(Event):
    """Somebody or a rule of the project ended the deployment before its cutover; the envelope's actor says who."""

    TYPE: ClassVar = "deployment.canceled.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY, Service.BUILDER})

    note: NoteId | None = None
    """Why, by whom ended it."""
    code: Token | None = None
    """The rule that ended it: `unchanged` where the commit changes no path that the project deploys for."""
    reason: Sentence | None = None
    """What the rule found."""


class DeploymentSuperseded(Event):
    """A later request for the same environment and branch made this one pointless."""

    TYPE: ClassVar = "deployment.superseded.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY, Service.BUILDER, Service.ROUTER})

    by: DeploymentId
    """The later request: later in the log, not by a clock."""


class BuildStarted(Event):
    """A builder took the deployment. A later attempt takes over the commit that the first one resolved."""

    TYPE: ClassVar = "build.started.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER})

    node: NodeName
    attempt: Ordinal
    """1, and one more each time a builder takes it over."""
    commit: CommitSha | None = None
    """What the ref stood for when it was resolved; none for a source that has no commits."""


class Recipe(Record):
    """How the release was built and how it starts, as given or as detected, and why.

    Without a start command the release starts by what its image says.
    """

    runner: Token
    build_command: Command | None = None
    start_command: Command | None = None
    detected_by: Token | None = None
    """What decided the commands: `configuration`, `procfile`, or what was found in the source."""


class BuildSucceeded(Event):
    """The release exists and is never built again for this deployment."""

    TYPE: ClassVar = "build.succeeded.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER})

    node: NodeName
    release: ReleaseRef
    digest: Digest
    """Of the release's content."""
    recipe: Recipe
    cache_hit: bool
    """Whether the release existed and nothing was built."""
    duration_ms: Milliseconds
    """From the builder's taking it to the release."""
    size_bytes: Bytes | None = None


class PreDeployStarted(Event):
    """The command before the start is about to run in the release, in this container and in no other ever."""

    TYPE: ClassVar = "predeploy.started.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER})

    node: NodeName
    container: ContainerName


class PreDeploySucceeded(Event):
    """The command before the start ended with 0, and never runs again for this deployment."""

    TYPE: ClassVar = "predeploy.succeeded.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER})

    container: ContainerName
    duration_ms: Milliseconds


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
    """The sequence of the alias change that every proxy confirmed, or of a later one."""
    duration_ms: Milliseconds
    """From the request, by the router's clock."""


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
    """The reason in one word, for programs."""
    reason: Sentence
    """The reason in one sentence, for people."""
    exit_code: ExitCode | None = None
    """Of the command or container that failed."""
    log: LogRange | None = None
    """The lines that show why."""
