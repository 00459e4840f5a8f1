"""Environments of a project, all in one aggregate, so that names stay unique and a branch belongs to one of them."""

from typing import Annotated, ClassVar

from pydantic import Field

from windlass_contracts.event import Event
from windlass_contracts.ids import EnvironmentId
from windlass_contracts.source_values import BranchPattern
from windlass_contracts.subjects import Aggregate, Service
from windlass_contracts.values import EnvironmentName

Branches = Annotated[tuple[BranchPattern, ...], Field(max_length=100)]


class EnvironmentCreated(Event):
    """An environment exists. The production environment answers at the project's own address."""

    TYPE: ClassVar = "environment.created.v1"
    AGGREGATE: ClassVar = Aggregate.ENVIRONMENTS
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    environment: EnvironmentId
    name: EnvironmentName
    production: bool
    """At most one environment of a project is."""
    branches: Branches = ()
    """Whose pushes go here."""


class EnvironmentConfigured(Event):
    """Pushes of these branches, and of no others, go to the environment from now on."""

    TYPE: ClassVar = "environment.configured.v1"
    AGGREGATE: ClassVar = Aggregate.ENVIRONMENTS
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    environment: EnvironmentId
    branches: Branches = ()
