"""Which deployment answers at which address: decided by the router alone, asked for by the gateway."""

from typing import Annotated, ClassVar

from pydantic import Field

from windlass_contracts.event import Event, Record
from windlass_contracts.events.deployment import Stage
from windlass_contracts.ids import DeploymentId, EnvironmentId, EventId, NoteId
from windlass_contracts.source_values import GitRef
from windlass_contracts.subjects import Aggregate, Service
from windlass_contracts.values import HostName, Milliseconds, NodeName, Seconds, Sentence, Sequence, Token

AliasName = HostName
"""A host label below the installation's domain, or, for the kind `domain`, a whole host name in ASCII."""


class Alias(Record):
    """An address. Kinds: environment, environment-id, branch, deployment, domain."""

    kind: Token
    name: AliasName
    environment: EnvironmentId | None = None
    """Whose address it is; none for a single deployment's."""


class AliasMove(Record):
    """An alias leaves one deployment for another; none before means new, none after means given up."""

    alias: Alias
    before: DeploymentId | None = None
    after: DeploymentId | None = None


class RollbackRequested(Event):
    """Somebody wants an environment, with all its addresses, to answer with an earlier deployment."""

    TYPE: ClassVar = "rollback.requested.v1"
    AGGREGATE: ClassVar = Aggregate.ROUTES
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    environment: EnvironmentId
    alias: AliasName
    """The address that it was asked for at."""
    before: DeploymentId | None = None
    """What answered there when it was asked for."""
    to: DeploymentId
    note: NoteId | None = None
    """Why."""


class PromotionRequested(Event):
    """Somebody wants an environment to answer with what was deployed to another one."""

    TYPE: ClassVar = "promotion.requested.v1"
    AGGREGATE: ClassVar = Aggregate.ROUTES
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    environment: EnvironmentId
    alias: AliasName
    """The address that it was asked for at."""
    before: DeploymentId | None = None
    """What answered there when it was asked for."""
    to: DeploymentId
    note: NoteId | None = None
    """Why."""


class AliasesChanged(Event):
    """The router's decision about every alias that moves; the routes follow, then RoutesApplied says so."""

    TYPE: ClassVar = "aliases.changed.v1"
    AGGREGATE: ClassVar = Aggregate.ROUTES
    APPENDED_BY: ClassVar = frozenset({Service.ROUTER})

    why: Token
    """`cutover`, `rollback`, `promotion`, or `compensation` for a change that could not be confirmed.

    Or `domain`, `branch-deleted`, `restore` by the monitor's wish, `rollout` at the end of a gradual one, or another
    one of later releases.
    """
    deployment: DeploymentId | None = None
    """The deployment that goes live by it."""
    request: EventId | None = None
    """The id of the event that asked for it: a rollback, a promotion, a restoring, a weight."""
    moves: Annotated[tuple[AliasMove, ...], Field(min_length=1, max_length=500)]


class RoutesApplied(Event):
    """Every proxy confirmed the routes as of this generation, a sequence of the log."""

    TYPE: ClassVar = "routes.applied.v1"
    AGGREGATE: ClassVar = Aggregate.ROUTES
    APPENDED_BY: ClassVar = frozenset({Service.ROUTER})

    generation: Sequence
    """The sequence of the newest alias change, of any project, that the confirmed file holds."""
    proxies: Annotated[tuple[NodeName, ...], Field(min_length=1, max_length=1_000)]
    """Who confirmed: all there were."""
    duration_ms: Milliseconds
    """From writing the file to the last confirmation."""


class RoutesFailed(Event):
    """A rollback, promotion, restoring or weight that was asked for could not be done; all answers as before."""

    TYPE: ClassVar = "routes.failed.v1"
    AGGREGATE: ClassVar = Aggregate.ROUTES
    APPENDED_BY: ClassVar = frozenset({Service.ROUTER, Service.BUILDER, Service.GATEWAY})

    request: EventId
    """The id of the event that asked for it."""
    stage: Stage
    code: Token
    reason: Sentence


class BranchDeleted(Event):
    """The branch is gone from the repository: its address is given up after a while, unless it is pushed again."""

    TYPE: ClassVar = "branch.deleted.v1"
    AGGREGATE: ClassVar = Aggregate.ROUTES
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    branch: GitRef
    grace_s: Seconds = 3_600
    """How long the address stays."""


class EnvironmentReleased(Event):
    """An environment that somebody rolled back takes what is pushed again."""

    TYPE: ClassVar = "environment.released.v1"
    AGGREGATE: ClassVar = Aggregate.ROUTES
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    environment: EnvironmentId
    note: NoteId | None = None
    """Why."""


class RestoreRequested(Event):
    """A version failed soon after it took an environment, or while it took it: the one before is wanted back."""

    TYPE: ClassVar = "restore.requested.v1"
    AGGREGATE: ClassVar = Aggregate.ROUTES
    APPENDED_BY: ClassVar = frozenset({Service.MONITOR})

    environment: EnvironmentId
    before: DeploymentId
    """What fails. If only a part of the requests goes to it, none does any more."""
    to: DeploymentId
    """What answered before, or what the rest of the requests goes to."""
    code: Token
    """The reason in one word, for programs: `unhealthy`, `exits`, `errors` and others."""
    reason: Sentence
    """What was seen, in one sentence, for people."""


class WeightRequested(Event):
    """Somebody wants a part of an environment's requests to go to another deployment."""

    TYPE: ClassVar = "weight.requested.v1"
    AGGREGATE: ClassVar = Aggregate.ROUTES
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    environment: EnvironmentId
    alias: AliasName
    """The address that it was asked for at."""
    before: DeploymentId | None = None
    """What answered there when it was asked for."""
    to: DeploymentId
    weight: Annotated[int, Field(ge=1, le=100, description="percent of the requests; 100 ends the rollout")]
    note: NoteId | None = None
    """Why."""


class RolloutStopped(Event):
    """Somebody wants all of an environment's requests to go to what has it again: the new version gets none."""

    TYPE: ClassVar = "rollout.stopped.v1"
    AGGREGATE: ClassVar = Aggregate.ROUTES
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    environment: EnvironmentId
    note: NoteId | None = None
    """Why."""


class WeightChanged(Event):
    """The router's decision which part of an environment's requests goes to a deployment that does not have it yet.

    The rest goes to what has its addresses. At 100 no such event says so, but the change of aliases.
    """

    TYPE: ClassVar = "weight.changed.v1"
    AGGREGATE: ClassVar = Aggregate.ROUTES
    APPENDED_BY: ClassVar = frozenset({Service.ROUTER})

    environment: EnvironmentId
    deployment: DeploymentId
    weight: Annotated[int, Field(ge=0, le=99, description="percent of the requests; 0 ends the rollout")]
    why: Token
    """`rollout` by its own steps, `asked`, `stopped`, `restore`, `overtaken`, `compensation` and others."""
    request: EventId | None = None
    """The id of the event that asked for it."""
    reason: Sentence | None = None
    """What made the router decide so, where no request says it."""
