"""Asking for an environment to answer with another deployment: what rollbacks and promotions have in common."""

from dataclasses import dataclass

from windlass_contracts.events import (
    EnvironmentReleased,
    PromotionRequested,
    RollbackRequested,
    RolloutStopped,
    WeightRequested,
)
from windlass_contracts.ids import DeploymentId, EventId, NoteId, ProjectId
from windlass_contracts.subjects import Aggregate, AggregateKey
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.access import Caller
from windlass_gateway.application.decisions import Signature, append_all
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import DEPLOYMENTS, RELEASES
from windlass_gateway.application.stored import shredded_names
from windlass_gateway.domain.project import Project
from windlass_gateway.domain.refusals import ValueShreddedError
from windlass_gateway.domain.releases import Releases
from windlass_gateway.domain.routes import Routes
from windlass_gateway.domain.writes import Write


@dataclass(frozen=True, slots=True)
class SwitchAccepted:
    """The request that was appended: its answer, RoutesApplied or RoutesFailed, names or follows it."""

    request: EventId
    project: str
    environment: str
    to: DeploymentId
    before: DeploymentId | None
    sequence: int


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody's request about a project's routes, and why; the same one however often it is decided."""

    gateway: Gateway
    caller: Caller
    id: EventId
    note: NoteId | None
    reason: str | None

    @classmethod
    def by(cls, gateway: Gateway, caller: Caller, reason: str | None) -> "Asking":
        note = None if reason is None else gateway.fresh_id()
        return cls(gateway, caller, EventId(gateway.fresh_id()), note, reason)

    async def append(
        self,
        project: Versioned[Project],
        event: RollbackRequested | PromotionRequested | EnvironmentReleased | WeightRequested | RolloutStopped,
        routes: Versioned[Routes] | None,
    ) -> int:
        """Keep the reason beside the log, append the request, and return its sequence.

        Raises:
            EventLogError: the log did not take it.
        """
        if self.note is not None and self.reason is not None:
            await self.gateway.personal.note(self.note, self.reason)
        key = AggregateKey.of_project(self.caller.team, ProjectId(project.key), Aggregate.ROUTES)
        write = Write(key, event.model_copy(update={"note": self.note}), 0 if routes is None else routes.sequence)
        return await append_all(self.gateway, [write], Signature(self.caller.actor, self.id))


async def retired(gateway: Gateway, project: Versioned[Project]) -> Releases:
    """Return what is known of the project's releases that are gone."""
    found = await gateway.rows.get(RELEASES, project.key)
    return Releases() if found is None else found.row


async def check_values(gateway: Gateway, target: DeploymentId, field: str, next_step: str) -> None:
    """Let a deployment through whose variables are all there.

    Raises:
        ValueShreddedError: it needs one that was shredded.
    """
    found = await gateway.rows.get(DEPLOYMENTS, target)
    names = () if found is None else await shredded_names(gateway.vault, found.row)
    if names:
        raise ValueShreddedError(f"Deployment {target.hex[:8]}", names, field=field, next_step=next_step)
