"""What answers show of projects and their environments."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from windlass_contracts.config import DeploymentConfig
from windlass_contracts.ids import DeploymentId
from windlass_gateway.entrypoints.uptime_views import UptimeView
from windlass_gateway.entrypoints.view import View


class HoldView(View):
    """A rollback that holds an environment: pushes are built, and wait at their own address until it is released."""

    to: Annotated[DeploymentId | None, Field(description="what it was rolled back to")]
    at: datetime
    by: Annotated[str | None, Field(description="who asked for it, as events name them")]


class EnvironmentView(View):
    """An environment of a project, and what answers there."""

    name: str
    production: bool
    branches: Annotated[list[str], Field(description="whose pushes go here, by the patterns that were set")]
    takes_default_branch: Annotated[bool, Field(description="without patterns, production takes the default branch")]
    url: str | None
    current: DeploymentId | None
    previous: DeploymentId | None
    held: Annotated[HoldView | None, Field(description="the rollback that keeps pushes from taking the environment")]
    uptime: Annotated[UptimeView | None, Field(description="none before it was probed for a minute")]


class ProjectView(View):
    """A project."""

    id: UUID
    slug: str
    name: str
    repository: str | None
    default_branch: str | None
    created_at: datetime
    config: DeploymentConfig
    environments: list[EnvironmentView]
