"""What requests carry. Every text is bounded, every field is named; what is not known is refused."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from windlass_contracts.events.deployment import GitSource
from windlass_contracts.ids import DeploymentId
from windlass_contracts.values import CommitSha, EnvironmentName, GitRef, Slug, VariableName
from windlass_gateway.domain.configuration import ConfigChange
from windlass_gateway.domain.environments import PRODUCTION
from windlass_gateway.domain.repository import repository_url

MAX_VALUE_BYTES = 64 * 1024
_COMMIT_LENGTHS = frozenset({40, 64})
_HEX = frozenset("0123456789abcdef")

_SHA: TypeAdapter[str] = TypeAdapter(CommitSha)


def _no_nul(value: str) -> str:
    if "\x00" in value:
        msg = "no environment variable can hold a NUL character"
        raise ValueError(msg)
    return value


def _bounded(value: str) -> str:
    if len(value.encode()) > MAX_VALUE_BYTES:
        msg = f"a value may have {MAX_VALUE_BYTES} bytes"
        raise ValueError(msg)
    return value


VariableValue = Annotated[str, AfterValidator(_no_nul), AfterValidator(_bounded)]
IdempotencyKey = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,200}$")]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DeployBody(_Body):
    """A request to deploy a commit of a repository."""

    git: Annotated[
        str,
        Field(max_length=2_000, description="an address like https://host/owner/repo or git@host:owner/repo"),
    ]
    ref: Annotated[
        GitRef | None, Field(description="a branch, a tag, or a whole commit id; else the default branch")
    ] = None
    project: Annotated[Slug | None, Field(description="named after the repository, if not given")] = None
    environment: EnvironmentName = PRODUCTION
    config: ConfigChange = ConfigChange()
    variables: Annotated[
        dict[VariableName, VariableValue],
        Field(max_length=300, description="set for the environment before the deployment"),
    ] = {}

    def source(self) -> GitSource:
        """Return what is to be deployed.

        Raises:
            InvalidInputError: the address is none.
        """
        url = repository_url(self.git)
        if self.ref is not None and len(self.ref) in _COMMIT_LENGTHS and _HEX.issuperset(self.ref):
            return GitSource(repository=url, commit=_SHA.validate_python(self.ref))
        return GitSource(repository=url, ref=self.ref)


class RollbackBody(_Body):
    """A request to go back to a version that was live."""

    to: Annotated[
        str | None, Field(max_length=40, description="a deployment's id or its beginning; else the one before")
    ] = None
    environment: Slug = PRODUCTION


class VariableBody(_Body):
    """A variable's new value."""

    value: VariableValue
    environment: Annotated[Slug | None, Field(description="only for this one; else for every environment")] = None


class DeploymentAccepted(BaseModel):
    """The request is durable: from here it ends live, failed, canceled or superseded."""

    deployment: DeploymentId
    project: str
    environment: str
    sequence: int
    urls: Annotated[list[str], Field(description="where it will answer; the environment's own address first")]


class Done(BaseModel):
    """What was asked for stands in the log at this sequence; reads take it as `at_least`."""

    sequence: int


class CancelAccepted(Done):
    """The deployment ended."""

    deployment: DeploymentId
