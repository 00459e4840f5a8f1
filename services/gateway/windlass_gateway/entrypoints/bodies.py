"""What requests carry. Every text is bounded, every field is named; what is not known is refused."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import (
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from windlass_contracts.events.deployment import GitSource, ImageSource
from windlass_contracts.source_values import BranchPattern, GitRef
from windlass_contracts.values import Digest, DisplayName, EnvironmentName, Slug, VariableName
from windlass_gateway.domain.configuration import ConfigChange
from windlass_gateway.domain.env_file import read_env_file
from windlass_gateway.domain.environments import PRODUCTION
from windlass_gateway.domain.project import ProjectChange
from windlass_gateway.domain.refusals import InvalidInputError
from windlass_gateway.domain.repository import git_source, repository_url
from windlass_gateway.entrypoints.body import Body
from windlass_gateway.entrypoints.variable_bodies import EnvFileText, VariableValue

IdempotencyKey = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,200}$")]


GitAddress = Annotated[
    str, Field(max_length=2_000, description="an address like https://host/owner/repo or git@host:owner/repo")
]


class DeployBody(Body):
    """A request to deploy a commit of a repository."""

    git: GitAddress | None = None
    upload: Annotated[
        Digest | None, Field(description="of what was uploaded, instead of a repository; the project is named then")
    ] = None
    ref: Annotated[
        GitRef | None, Field(description="a branch, a tag, or a whole commit id; else the default branch")
    ] = None
    image: Annotated[
        str | None,
        Field(max_length=600, description="a ready image as name@sha256:…, instead of a repository"),
    ] = None
    project: Annotated[Slug | None, Field(description="named after the repository, if not given")] = None
    environment: EnvironmentName = PRODUCTION
    config: ConfigChange = ConfigChange()
    variables: Annotated[
        dict[VariableName, VariableValue],
        Field(max_length=300, description="set for the environment before the deployment"),
    ] = {}  # noqa: RUF012 - pydantic copies it
    env_file: EnvFileText = ""

    def values(self) -> Mapping[str, str]:
        """Return the variables, those given by name before those of the `.env` file.

        Raises:
            InvalidInputError: a line of the file cannot be read.
        """
        return {**read_env_file(self.env_file).readable(), **self.variables}

    @model_validator(mode="after")
    def _from_one_place(self) -> Self:
        if sum(one is not None for one in (self.git, self.upload, self.image)) != 1:
            msg = "name what is deployed: git (a repository), upload (a digest) or image (name@sha256:…), and only one"
            raise ValueError(msg)
        if self.git is None and self.ref is not None:
            msg = "only a repository has refs"
            raise ValueError(msg)
        return self

    def git_source(self) -> GitSource:
        """Return the commit that is to be deployed, where nothing was uploaded.

        Raises:
            InvalidInputError: the address is none.
        """
        return git_source(self.git or "", self.ref)


_IMAGES: TypeAdapter[ImageSource] = TypeAdapter(ImageSource)


def image_source(written: str) -> ImageSource:
    """Return the ready image that is written like `registry/name@sha256:…`.

    Raises:
        InvalidInputError: it is none, or not pinned by its digest.
    """
    reference, _, digest = written.partition("@")
    try:
        return _IMAGES.validate_python({"reference": reference, "digest": digest})
    except ValidationError as error:
        raise InvalidInputError(
            "That is no image with its digest.",
            field="image",
            next_step="Write it like registry.example/shop@sha256:… with 64 hex digits; `docker images --digests` "
            "shows them.",
        ) from error


class ProjectDeployBody(Body):
    """A request to deploy a commit of a project's own repository."""

    ref: Annotated[
        GitRef | None, Field(description="a branch, a tag, or a whole commit id; else the default branch")
    ] = None
    environment: EnvironmentName = PRODUCTION


class EnvironmentBody(Body):
    """Which pushes go to an environment."""

    branches: Annotated[
        tuple[BranchPattern, ...],
        Field(max_length=100, description="branches, or patterns: `*` is anything but a slash, `**` anything"),
    ] = ()


class DomainBody(Body):
    """Which environment a host answers with."""

    environment: EnvironmentName = PRODUCTION


class ProjectBody(Body):
    """What is to change of a project; what is not said stays as it is."""

    name: DisplayName | None = None
    repository: Annotated[str | None, Field(max_length=2_000, description="null takes it away")] = None
    default_branch: Annotated[GitRef | None, Field(description="null means the repository's own")] = None
    config: ConfigChange = ConfigChange()

    def change(self) -> ProjectChange:
        """Return what was said.

        Raises:
            InvalidInputError: the repository's address is none.
        """
        said = {name: getattr(self, name) for name in self.model_fields_set if name != "config"}
        if said.get("repository") is not None:
            said["repository"] = repository_url(said["repository"], "repository")
        if said.get("name") is None:
            said.pop("name", None)
        return ProjectChange(said, self.config)


class RollbackBody(Body):
    """A request to go back to a version that was live."""

    to: Annotated[
        str | None, Field(max_length=40, description="a deployment's id or its beginning; else the one before")
    ] = None
    environment: Slug = PRODUCTION


class StopBody(Body):
    """Whose rollout shall end."""

    deployment: Annotated[
        str | None,
        Field(max_length=40, description="an id or its beginning: refused if it gets no requests there; else any"),
    ] = None


class ScaleBody(Body):
    """In how many containers what answers at an environment shall run."""

    replicas: Annotated[int, Field(ge=1, le=100, strict=True, description="how many containers")]
    environment: EnvironmentName = PRODUCTION


class RestartBody(Body):
    """A request for fresh containers of what answers at an environment."""

    environment: EnvironmentName = PRODUCTION


class PromoteBody(Body):
    """A request to let an environment answer with a deployment that was live."""

    to: Annotated[EnvironmentName, Field(description="the environment's name")] = PRODUCTION


class WeightBody(Body):
    """A request to send a part of an environment's requests to a deployment."""

    weight: Annotated[int, Field(ge=1, le=100, strict=True, description="percent; 100 ends the rollout")]
    to: Annotated[EnvironmentName, Field(description="the environment's name")] = PRODUCTION
