"""How many containers a live deployment has, and fresh ones in their place."""

from typing import Annotated, ClassVar

from pydantic import Field

from windlass_contracts.event import Event
from windlass_contracts.ids import EventId, NoteId
from windlass_contracts.subjects import Aggregate, Service
from windlass_contracts.values import Count, Milliseconds, Sentence, Token


class DeploymentScaled(Event):
    """Somebody wants a deployment that is live to run in so many containers, whenever it runs from now on."""

    TYPE: ClassVar = "deployment.scaled.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    replicas: Annotated[int, Field(ge=1, le=100)]
    note: NoteId | None = None
    """Why."""


class RestartRequested(Event):
    """Somebody wants fresh containers, of the same release with the same variables: replaced one by one."""

    TYPE: ClassVar = "restart.requested.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    note: NoteId | None = None
    """Why."""


class RestartSucceeded(Event):
    """Every container that ran when the restart was asked for gave way to a fresh one that is healthy."""

    TYPE: ClassVar = "restart.succeeded.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER})

    request: EventId
    """The id of the request's event."""
    replaced: Count
    """How many containers gave way."""
    duration_ms: Milliseconds
    """From the request, by the builder's clock."""


class RestartFailed(Event):
    """A fresh container did not start, or did not become healthy: those that were not replaced so far run on."""

    TYPE: ClassVar = "restart.failed.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER, Service.GATEWAY})

    request: EventId
    """The id of the request's event."""
    replaced: Count
    """How many containers gave way before."""
    code: Token
    """The reason in one word, for programs; `overtaken` where another restart was asked for meanwhile."""
    reason: Sentence
    """The reason in one sentence, for people."""
