"""Projects, created in one scope for all teams, so that a slug is never taken twice."""

from typing import ClassVar

from windlass_contracts.config import DeploymentConfig
from windlass_contracts.event import Event
from windlass_contracts.source_values import GitRef, RepositoryUrl
from windlass_contracts.subjects import Aggregate, Service
from windlass_contracts.values import DisplayName, Slug


class ProjectCreated(Event):
    """A project exists. Without a repository it is deployed from uploads."""

    TYPE: ClassVar = "project.created.v1"
    AGGREGATE: ClassVar = Aggregate.PROJECT
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    slug: Slug
    """Its name in addresses, never changed."""
    name: DisplayName
    repository: RepositoryUrl | None = None
    default_branch: GitRef | None = None
    """What is deployed where nothing else is asked for; the repository's own without one."""
    config: DeploymentConfig


class ProjectConfigured(Event):
    """From the next deployment on, the project is built and run with this configuration, which replaces the old one."""

    TYPE: ClassVar = "project.configured.v1"
    AGGREGATE: ClassVar = Aggregate.PROJECT
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    name: DisplayName
    repository: RepositoryUrl | None = None
    default_branch: GitRef | None = None
    config: DeploymentConfig
