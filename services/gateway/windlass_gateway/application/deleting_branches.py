"""The use case of a branch that is gone from the repository: its address goes after a while."""

from dataclasses import dataclass
from datetime import timedelta

from windlass_contracts.events import BranchDeleted
from windlass_contracts.ids import EventId, ProjectId, derived
from windlass_contracts.subjects import Aggregate, AggregateKey
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.decisions import Signature, append_all, decided
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import DEPLOYMENTS, ROUTES
from windlass_gateway.domain.branch_deletion import AddressGoes, BranchState, decide_deletion
from windlass_gateway.domain.project import Project
from windlass_gateway.domain.pushes import Ignored
from windlass_gateway.domain.routes import BRANCH_ALIAS, Routes
from windlass_gateway.domain.writes import Write


@dataclass(frozen=True, slots=True)
class DeletingBranches:
    """Tells the router that branches are gone."""

    gateway: Gateway

    async def delete(self, caller: Caller, project: Versioned[Project], branch: str, key: str) -> AddressGoes | Ignored:
        """Return what the deletion does to a project, once it is durable; the same one again does the same, once.

        Raises:
            ForbiddenError: they may not deploy.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.DEPLOY)
        identity = EventId(derived("event", "branch-deleted", key, project.key))

        async def attempt() -> AddressGoes | Ignored:
            routes = await self.gateway.rows.get(ROUTES, project.key)
            row = Routes(team=caller.team, project=ProjectId(project.key)) if routes is None else routes.row
            decision = decide_deletion(branch, await branch_state(self.gateway, row, branch))
            if not isinstance(decision, BranchDeleted):
                return decision
            about = AggregateKey.of_project(caller.team, ProjectId(project.key), Aggregate.ROUTES)
            write = Write(about, decision, 0 if routes is None else routes.sequence)
            await append_all(self.gateway, [write], Signature(caller.actor, identity))
            return AddressGoes(branch, self.gateway.clock() + timedelta(seconds=decision.grace_s))

        return await decided(self.gateway, attempt)


async def branch_state(gateway: Gateway, routes: Routes, branch: str) -> BranchState:
    """Return what a project knows of a branch."""
    answering = {one.current for one in routes.aliases if one.kind == BRANCH_ALIAS and one.current is not None}
    rows = await gateway.rows.get_all(DEPLOYMENTS, answering)
    where = {"project": routes.project, "branch": branch}
    latest = await gateway.rows.page(DEPLOYMENTS, where, by="requested_sequence", limit=1)
    return BranchState(routes, [found.row for found in rows.values()], latest[0].row if latest else None)
