"""Deciding a request to deploy: the project and the environment come into being with their first deployment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from windlass_contracts.config import DeploymentConfig
from windlass_contracts.events import (
    DeploymentRequested,
    EnvironmentCreated,
    ProjectConfigured,
    ProjectCreated,
    VariableSet,
)
from windlass_contracts.events.deployment import GitSource, Source, VariableVersion
from windlass_contracts.ids import (
    DeploymentId,
    EnvironmentId,
    NoteId,
    PersonId,
    ProjectId,
    SecretId,
    TeamId,
    deployment_id,
)
from windlass_contracts.subjects import PROJECT_REGISTRY, Aggregate, AggregateKey
from windlass_gateway.domain.configuration import ConfigChange, changed
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.environments import PRODUCTION, Environment, Environments, checked_name
from windlass_gateway.domain.project import Project
from windlass_gateway.domain.refusals import InvalidInputError, KeyReusedError, SlugTakenError
from windlass_gateway.domain.repository import checked_slug, place, slug_from_repository
from windlass_gateway.domain.variables import MAX_VARIABLES, Variables
from windlass_gateway.domain.writes import Write


@dataclass(frozen=True, slots=True)
class DeployCommand:
    """A request to deploy, checked field by field; `project` is None where the repository names it."""

    team: TeamId
    request_key: str
    trigger: str
    source: Source
    project: str | None = None
    environment: str = PRODUCTION
    config: ConfigChange = field(default_factory=ConfigChange)
    secrets: Mapping[str, SecretId] = field(default_factory=dict)
    based_on: DeploymentId | None = None
    author: PersonId | None = None
    note: NoteId | None = None

    @property
    def slug(self) -> str:
        """The name of the project that is meant."""
        if self.project is not None:
            return checked_slug(self.project)
        if isinstance(self.source, GitSource):
            return slug_from_repository(self.source.repository)
        raise InvalidInputError(
            "An upload or a ready image does not say which project it is for.",
            field="project",
            next_step="Name the project (--project): a new name makes a new one.",
        )

    @property
    def repository(self) -> str | None:
        """Where the source comes from; None for what was uploaded."""
        return self.source.repository if isinstance(self.source, GitSource) else None


@dataclass(frozen=True, slots=True)
class ProjectState:
    """All that is known of the project that is meant, each part with its sequence; nothing of a new one."""

    id: ProjectId
    registry_sequence: int = 0
    project: Project | None = None
    project_sequence: int = 0
    environments: Environments = field(default_factory=Environments)
    environments_sequence: int = 0
    variables: Variables = field(default_factory=Variables)
    variables_sequence: int = 0


@dataclass(frozen=True, slots=True)
class Accepted:
    """The deployment's id, and what has to be appended, in this order, for it to be requested."""

    project: ProjectId
    slug: str
    environment: Environment
    deployment: DeploymentId
    writes: tuple[Write, ...]


def target_environment(command: DeployCommand, state: ProjectState, fresh: EnvironmentId) -> Environment:
    """Return the environment that is meant, under a fresh id if it does not exist yet.

    Raises:
        InvalidInputError: no new one can have that name.
    """
    name = command.environment
    known = state.environments.named(name)
    return known or Environment(id=fresh, name=checked_name(name), production=name == PRODUCTION)


def deployment_of(command: DeployCommand, state: ProjectState, environment: Environment) -> DeploymentId:
    """Return the id of the deployment that the request asks for, the same each time it arrives."""
    return deployment_id(command.request_key, state.id, environment.id)


def check_replay(command: DeployCommand, identity: DeploymentId, known: Deployment) -> None:
    """Make sure that a request whose deployment exists is the one that asked for it.

    Raises:
        KeyReusedError: its key came with another request before.
    """
    asked, made = command.source, known.source
    if not isinstance(asked, GitSource) or not isinstance(made, GitSource):
        if asked != made:
            raise KeyReusedError(identity)
        return
    if asked.repository != made.repository:
        raise KeyReusedError(identity)
    # A request that names no ref got the project's default branch.
    if (asked.ref, asked.commit) not in {(None, None), (made.ref, made.commit)}:
        raise KeyReusedError(identity)


def decide_deployment(command: DeployCommand, state: ProjectState, environment: Environment) -> Accepted:
    """Return what has to be appended for a new deployment.

    Raises:
        SlugTakenError: the name belongs to another repository's or another team's project.
        InvalidInputError: the configuration does not go together, or there are too many variables.
    """
    _check_owner(command, state.project)
    base = DeploymentConfig() if state.project is None else state.project.config
    config = changed(base, command.config)
    identity = deployment_of(command, state, environment)
    variables = _snapshot(command, state, environment)
    requested = DeploymentRequested(
        environment=environment.id,
        source=_resolved_source(command.source, state.project),
        trigger=command.trigger,
        config=config,
        variables=variables,
        based_on=command.based_on,
        author=command.author,
        note=command.note,
    )
    writes = (
        *_project_writes(command, state, config, environment),
        *_environment_writes(command, state, environment),
        *_variable_writes(command, state, environment),
        Write(AggregateKey.of_deployment(command.team, state.id, identity), requested, 0),
    )
    return Accepted(state.id, command.slug, environment, identity, writes)


def _check_owner(command: DeployCommand, project: Project | None) -> None:
    if project is None:
        return
    if project.team != command.team:
        raise SlugTakenError(project.slug)
    named_by_repository = command.project is None
    if named_by_repository and place(project.repository or "") != place(command.repository or ""):
        raise SlugTakenError(project.slug)


def _resolved_source(source: Source, project: Project | None) -> Source:
    if not isinstance(source, GitSource):
        return source
    if source.ref is None and source.commit is None and project is not None and project.default_branch is not None:
        return source.model_copy(update={"ref": project.default_branch})
    return source


def _project_writes(
    command: DeployCommand, state: ProjectState, config: DeploymentConfig, environment: Environment
) -> list[Write]:
    key = AggregateKey.of_project(command.team, state.id, Aggregate.PROJECT)
    known = state.project
    if known is None:
        created = ProjectCreated(slug=command.slug, name=command.slug, repository=command.repository, config=config)
        return [Write(key, created, state.registry_sequence, PROJECT_REGISTRY)]
    # What production was deployed with counts for later deployments too; a try elsewhere never changes production.
    if not environment.production or config == known.config:
        return []
    configured = ProjectConfigured(
        name=known.name, repository=known.repository, default_branch=known.default_branch, config=config
    )
    return [Write(key, configured, state.project_sequence)]


def _environment_writes(command: DeployCommand, state: ProjectState, environment: Environment) -> list[Write]:
    if state.environments.named(environment.name) is not None:
        return []
    key = AggregateKey.of_project(command.team, state.id, Aggregate.ENVIRONMENTS)
    created = EnvironmentCreated(environment=environment.id, name=environment.name, production=environment.production)
    return [Write(key, created, state.environments_sequence)]


def _variable_writes(command: DeployCommand, state: ProjectState, environment: Environment) -> list[Write]:
    key = AggregateKey.of_project(command.team, state.id, Aggregate.VARIABLES)
    return [
        Write(key, VariableSet(name=name, environment=environment.id, secret=secret), state.variables_sequence)
        for name, secret in sorted(command.secrets.items())
    ]


def _snapshot(command: DeployCommand, state: ProjectState, environment: Environment) -> tuple[VariableVersion, ...]:
    known = {one.name: one.secret for one in state.variables.versions(environment.id)}
    together = {**known, **command.secrets}
    if len(together) > MAX_VARIABLES:
        raise InvalidInputError(
            f"The deployment would have {len(together)} variables; {MAX_VARIABLES} is the limit.",
            field="variables",
            next_step="Remove some with `windlass env unset`, or keep them in one variable, as JSON.",
        )
    return tuple(VariableVersion(name=name, secret=secret) for name, secret in sorted(together.items()))
