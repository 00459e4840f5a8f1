"""All that the next step in a project is decided from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from windlass_contracts.ids import DeploymentId
from windlass_contracts.lifecycle import Phase
from windlass_router.domain.deployment import Deployment
from windlass_router.domain.place import Place
from windlass_router.domain.pointers import Pointer
from windlass_router.domain.routes import Change, Routes


@dataclass(frozen=True, slots=True)
class Situation:
    """The project's rows at a moment.

    `deployments` are those that are healthy or cutting over, that addresses point at, that somebody asked for, or that
    are of a deleted branch which still has its address.
    `refusals` says which decisions (by their sequence) the proxies did not confirm, and why, the earliest first.
    """

    place: Place
    routes: Routes
    deployments: Mapping[DeploymentId, Deployment]
    now: datetime
    refusals: Mapping[int, str] = field(default_factory=dict)

    def in_phase(self, phase: Phase) -> list[tuple[DeploymentId, Deployment]]:
        """Return the deployments in a phase, the latest request first."""
        found = [(identity, row) for identity, row in self.deployments.items() if row.phase is phase]
        return sorted(found, key=lambda one: one[1].requested_sequence, reverse=True)

    def asked(self, pointer: Pointer) -> int:
        """Return the sequence of the request by which an address points where it does."""
        holder = pointer.current
        rows = (self.deployments.get(one) for one in (holder.deployment, holder.instead_of) if one is not None)
        return max(holder.asked, *(row.requested_sequence for row in rows if row is not None), 0)

    @property
    def refused(self) -> Change | None:
        """The last decision, if the proxies did not confirm it."""
        change = self.routes.unconfirmed
        return change if change is not None and change.sequence in self.refusals else None

    @property
    def first_refusal(self) -> str:
        return next(iter(self.refusals.values()), "The proxies did not confirm the new routes in time.")
