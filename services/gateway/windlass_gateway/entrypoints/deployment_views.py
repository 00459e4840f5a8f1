"""What answers show of deployments."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from windlass_contracts.config import DeploymentConfig
from windlass_contracts.events.deployment import Recipe, Source
from windlass_contracts.ids import DeploymentId, NoteId, PersonId
from windlass_contracts.lifecycle import Phase
from windlass_contracts.subjects import Service
from windlass_gateway.domain.container import Container
from windlass_gateway.domain.deployment import Deployment, Failure
from windlass_gateway.domain.explanation import Explanation
from windlass_gateway.domain.remedies import remedy
from windlass_gateway.domain.timeline import StepState, steps, total_ms
from windlass_gateway.entrypoints.view import View


class StepView(View):
    """One step of a deployment."""

    name: str
    state: StepState
    started_at: datetime
    ended_at: datetime | None
    duration_ms: int | None


class FailureView(View):
    """Why a deployment failed, who says so, and what most likely helps."""

    stage: str
    code: str
    reason: str
    service: Service
    exit_code: int | None
    log: Annotated[dict[str, Any] | None, Field(description="the lines that show why: source, first, last")]
    next: str

    @classmethod
    def of(cls, failure: Failure) -> "FailureView":
        return cls(
            stage=failure.stage,
            code=failure.code,
            reason=failure.reason,
            service=failure.service,
            exit_code=failure.exit_code,
            log=None if failure.log is None else failure.log.model_dump(),
            next=remedy(failure),
        )


class CancellationView(View):
    """The rule of the project that ended a deployment: `unchanged` where a push was skipped, and what it found."""

    code: str
    reason: str


class DeploymentSummary(View):
    """A deployment in a list. `current` says whether its environment answers with it."""

    id: DeploymentId
    project: str
    environment: str
    phase: Phase
    ended: bool
    current: bool
    held_back: Annotated[
        bool, Field(description="it is live at its own address alone, because a rollback holds its environment")
    ]
    taken_back: Annotated[bool, Field(description="it failed soon after it went live; the one before took its place")]
    share: Annotated[
        int | None, Field(description="the percentage of requests it gets beside the version that has the environment")
    ]
    source: Source
    commit: str | None
    author: Annotated[PersonId | None, Field(description="who wrote the commit; the name is kept apart, deletable")]
    note: Annotated[NoteId | None, Field(description="the commit's subject line, kept apart, deletable")]
    based_on: Annotated[DeploymentId | None, Field(description="the deployment that this one repeats")]
    actor: str
    trigger: str
    requested_at: datetime
    requested_sequence: int
    sequence: Annotated[int, Field(description="the last event about it")]
    total_ms: int | None
    cancellation: Annotated[CancellationView | None, Field(description="the rule that ended it, where one did")]
    looping: Annotated[
        int, Field(description="how often in a row a container of it ended soon after its start, as told last; 0: none")
    ]
    urls: Annotated[list[str], Field(description="where it answers; before its end, where it will")]


class ReplicasView(View):
    """A deployment's containers: how many are wanted, get requests and answer, and are about to go."""

    wanted: int
    healthy: int
    leaving: Annotated[int, Field(description="they get no requests any more, and stop once they have none")]
    restarting: bool


class DeploymentView(DeploymentSummary):
    """All that is known of a deployment."""

    steps: list[StepView]
    failure: FailureView | None
    release: str | None
    recipe: Recipe | None
    cache_hit: bool | None
    attempt: int
    containers: list[Container]
    replicas: ReplicasView
    superseded_by: DeploymentId | None
    config: DeploymentConfig
    variables: Annotated[list[str], Field(description="the names of the variables that it was given")]


class Named(View):
    """What the row of a deployment does not say: names and addresses."""

    id: DeploymentId
    sequence: int
    project: str
    environment: str
    current: bool
    held_back: bool
    taken_back: bool
    share: int | None
    urls: list[str]


def summary_of(row: Deployment, named: Named) -> DeploymentSummary:
    """Return a deployment as a list shows it."""
    return DeploymentSummary.model_validate(_summary(row, named))


def view_of(row: Deployment, named: Named) -> DeploymentView:
    """Return a deployment with all its details."""
    details = {
        "steps": [StepView.model_validate(step) for step in steps(row)],
        "failure": None if row.failure is None else FailureView.of(row.failure),
        "release": row.release,
        "recipe": row.recipe,
        "cache_hit": row.cache_hit,
        "attempt": row.attempt,
        "containers": list(row.containers),
        "replicas": ReplicasView(
            wanted=row.replicas,
            healthy=row.healthy_containers(),
            leaving=len(row.replica_set.spare),
            restarting=row.restarting,
        ),
        "superseded_by": row.superseded_by,
        "config": row.config,
        "variables": [variable.name for variable in row.variables],
    }
    return DeploymentView.model_validate({**_summary(row, named), **details})


def _summary(row: Deployment, named: Named) -> dict[str, object]:
    return {
        **named.model_dump(),
        "phase": row.phase,
        "ended": row.ended,
        "looping": row.looping[0].exits if row.looping else 0,
        "source": row.source,
        "commit": row.commit,
        "author": row.author,
        "note": row.note,
        "based_on": row.based_on,
        "actor": row.actor,
        "trigger": row.trigger,
        "requested_at": row.requested_at,
        "requested_sequence": row.requested_sequence,
        "total_ms": total_ms(row),
        "cancellation": row.cancellation,
    }


class ExplanationView(View):
    """What a deployment waits for, from whom and until when; or how it ended and what to do."""

    deployment: DeploymentId
    phase: Phase
    sentence: str
    next: str
    awaits: str | None
    owner: Service | None
    since: datetime | None
    until: datetime | None
    given_up_at: Annotated[datetime | None, Field(description="when the gateway ends it if its owner stays away")]
    remarks: Annotated[list[str], Field(description="what else is to be known")]
    dead_letters: Annotated[list[UUID], Field(description="what was given up about it, and waits for an operator")]
    queued: Annotated[str | None, Field(description="its place in the queue, and why it is not built yet")]

    @classmethod
    def of(cls, deployment: DeploymentId, row: Deployment, explanation: Explanation) -> "ExplanationView":
        return cls(
            deployment=deployment,
            phase=row.phase,
            sentence=explanation.sentence,
            next=explanation.next_step,
            awaits=explanation.awaits,
            owner=explanation.owner,
            since=explanation.since,
            until=explanation.until,
            given_up_at=explanation.given_up_at,
            remarks=list(explanation.remarks),
            dead_letters=list(explanation.dead_letters),
            queued=explanation.queued,
        )
