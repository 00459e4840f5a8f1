"""Looking into a repository before anything of it is deployed: its branches, and how it would be built and started."""

from typing import Annotated, ClassVar

from pydantic import Field

from windlass_contracts.event import Event, Record
from windlass_contracts.events.deployment import GitSource, Recipe
from windlass_contracts.source_values import GitRef, SourceFolder
from windlass_contracts.subjects import Aggregate, Service
from windlass_contracts.values import CommitSha, Milliseconds, Sentence, Token


class Head(Record):
    """What a branch or tag names now."""

    name: GitRef
    commit: CommitSha


Heads = Annotated[tuple[Head, ...], Field(max_length=500)]


class InspectionRequested(Event):
    """Somebody wants to know what a repository holds, and how Windlass would deploy it."""

    TYPE: ClassVar = "inspection.requested.v1"
    AGGREGATE: ClassVar = Aggregate.INSPECTION
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    source: GitSource
    root: SourceFolder | None = None
    """The folder of the repository that would be built; its top without one."""


class SourceInspected(Event):
    """What the repository holds at the commit. Nothing of it was run."""

    TYPE: ClassVar = "inspection.answered.v1"
    AGGREGATE: ClassVar = Aggregate.INSPECTION
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER})

    commit: CommitSha
    """What was asked for, resolved."""
    branch: GitRef | None = None
    """The branch that was asked for, or else the repository's default one."""
    recipe: Recipe | None = None
    """How it would be built and started; none where nothing in it tells."""
    missing: Sentence | None = None
    """Why there is no recipe."""
    branches: Heads = ()
    """The first 500 by name."""
    tags: Heads = ()
    """The first 500 by name."""
    duration_ms: Milliseconds


class InspectionFailed(Event):
    """The repository could not be looked into."""

    TYPE: ClassVar = "inspection.failed.v1"
    AGGREGATE: ClassVar = Aggregate.INSPECTION
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER, Service.GATEWAY})

    code: Token
    """The reason in one word, for programs."""
    reason: Sentence
    """The reason in one sentence, for people."""
