"""What the gateway knows of projects: each one, and the registry of names over all teams."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.config import DeploymentConfig
from windlass_contracts.event import Event
from windlass_contracts.events import ProjectConfigured, ProjectCreated
from windlass_contracts.ids import ProjectId, TeamId, derived
from windlass_contracts.subjects import Aggregate
from windlass_gateway.domain.configuration import ConfigChange, changed
from windlass_gateway.domain.repository import place_key

REGISTRY: UUID = derived("registry", Aggregate.PROJECT)
"""The key of the one row that all projects share."""


class Project(BaseModel):
    """The row of a project; `place` is its repository's, as `place_key` writes it, to be found by."""

    model_config = ConfigDict(frozen=True)

    team: TeamId
    slug: str
    name: str
    repository: str | None
    default_branch: str | None
    config: DeploymentConfig
    created_at: datetime
    place: str | None = None


@dataclass(frozen=True, slots=True)
class ProjectChange:
    """What is to be otherwise: `fields` among name, repository and default branch, and parts of the configuration."""

    fields: Mapping[str, str | None]
    config: ConfigChange


def decide_configuration(project: Project, change: ProjectChange) -> ProjectConfigured | None:
    """Return the event that changes the project; None where it is so already.

    Raises:
        InvalidInputError: the configuration does not go together.
    """
    before = project.model_dump(include={"name", "repository", "default_branch"})
    after = {**before, **change.fields}
    config = changed(project.config, change.config)
    return None if (after, config) == (before, project.config) else ProjectConfigured(**after, config=config)


class Registry(BaseModel):
    """Which names are taken, by whom. Its row's sequence is the one to expect when a project is created."""

    model_config = ConfigDict(frozen=True)

    projects: Mapping[str, ProjectId] = {}


def evolve(row: Project | None, recorded: Recorded[Event]) -> Project | None:
    """Fold one event into the row of a project."""
    event = recorded.event
    match event:
        case ProjectCreated():
            return Project(
                team=recorded.team,
                slug=event.slug,
                name=event.name,
                repository=event.repository,
                default_branch=event.default_branch,
                config=event.config,
                created_at=recorded.metadata.time,
                place=_place(event.repository),
            )
        case ProjectConfigured() if row is not None:
            changed = {
                "name": event.name,
                "repository": event.repository,
                "default_branch": event.default_branch,
                "config": event.config,
                "place": _place(event.repository),
            }
            return row.model_copy(update=changed)
        case _:
            return row


def _place(repository: str | None) -> str | None:
    return None if repository is None else place_key(repository)


def evolve_registry(row: Registry | None, recorded: Recorded[Event]) -> Registry | None:
    """Fold one event about any project into the registry."""
    event = recorded.event
    if not isinstance(event, ProjectCreated):
        return row
    taken = {} if row is None else row.projects
    return Registry(projects={**taken, event.slug: ProjectId(recorded.project)})
