"""The use case of a rollback."""

from dataclasses import dataclass

from windlass_contracts.events import RollbackRequested
from windlass_contracts.ids import DeploymentId, EventId, NoteId, ProjectId
from windlass_contracts.subjects import Aggregate, AggregateKey
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.decisions import Signature, append_all, decided
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import DEPLOYMENTS, RELEASES, ROUTES
from windlass_gateway.application.stored import shredded_names
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.environments import PRODUCTION, Environment
from windlass_gateway.domain.project import Project
from windlass_gateway.domain.refusals import ValueShreddedError
from windlass_gateway.domain.releases import Releases
from windlass_gateway.domain.rolling_back import Candidate, decide_rollback, decide_step_back
from windlass_gateway.domain.routes import Routes
from windlass_gateway.domain.writes import Write


@dataclass(frozen=True, slots=True)
class RollbackCommand:
    """Which environment of which project goes back, and why; `to` None means to the version before the present one."""

    project: str
    environment: str = PRODUCTION
    to: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RollbackAccepted:
    """The request that was appended: its answer, RoutesApplied or RoutesFailed, names or follows it."""

    request: EventId
    to: DeploymentId
    before: DeploymentId | None
    sequence: int


@dataclass(frozen=True, slots=True)
class RollingBack:
    """Requests rollbacks."""

    gateway: Gateway

    async def roll_back(self, caller: Caller, command: RollbackCommand) -> RollbackAccepted:
        """Return once the request is durable.

        Raises:
            Refusal: there is nothing to go back to, it cannot answer any more, or needs a value that was shredded.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.DEPLOY)
        request = EventId(self.gateway.fresh_id())
        note: NoteId | None = None if command.reason is None else self.gateway.fresh_id()

        async def attempt() -> RollbackAccepted:
            finder = Finder(self.gateway.rows, caller.team)
            project = await finder.project(command.project)
            environment = await finder.environment(project, command.environment)
            routes = await self.gateway.rows.get(ROUTES, project.key)
            event = await self._decide(finder, project, environment, command.to, routes)
            await self._check_values(event.to)
            if note is not None and command.reason is not None:
                await self.gateway.personal.note(note, command.reason)
            key = AggregateKey.of_project(caller.team, ProjectId(project.key), Aggregate.ROUTES)
            write = Write(key, event.model_copy(update={"note": note}), 0 if routes is None else routes.sequence)
            sequence = await append_all(self.gateway, [write], Signature(caller.actor, request))
            return RollbackAccepted(request, event.to, event.before, sequence)

        return await decided(self.gateway, attempt)

    async def _check_values(self, target: DeploymentId) -> None:
        found = await self.gateway.rows.get(DEPLOYMENTS, target)
        names = () if found is None else await shredded_names(self.gateway.vault, found.row)
        if names:
            raise ValueShreddedError(
                f"Deployment {target.hex[:8]}",
                names,
                field="to",
                next_step="Name another deployment with --to; or set the variable and deploy the same commit again.",
            )

    async def _decide(
        self,
        finder: Finder,
        project: Versioned[Project],
        environment: Environment,
        to: str | None,
        routes: Versioned[Routes] | None,
    ) -> RollbackRequested:
        alias = None if routes is None else routes.row.alias_of(environment.id)
        found = await self.gateway.rows.get(RELEASES, project.key)
        releases = Releases() if found is None else found.row
        if to is not None:
            return decide_rollback(environment, alias, _candidate(await finder.deployment(to)), releases)
        before = () if alias is None else alias.before
        earlier = await finder.candidates(before, ProjectId(project.key))
        known = None if routes is None else routes.row
        return decide_step_back(environment, known, [_candidate(one) for one in earlier], releases)


def _candidate(found: Versioned[Deployment]) -> Candidate:
    return Candidate(DeploymentId(found.key), found.row)
