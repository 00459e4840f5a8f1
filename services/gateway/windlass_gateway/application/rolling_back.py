"""The use case of a rollback."""

from dataclasses import dataclass

from windlass_contracts.events import RollbackRequested
from windlass_contracts.ids import DeploymentId, ProjectId
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.decisions import decided
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import ROUTES
from windlass_gateway.application.switching import Asking, SwitchAccepted, check_values, retired
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.environments import PRODUCTION, Environment
from windlass_gateway.domain.project import Project
from windlass_gateway.domain.rolling_back import Candidate, decide_rollback, decide_step_back
from windlass_gateway.domain.routes import Routes

_ANOTHER = "Name another deployment with --to; or set the variable and deploy the same commit again."


@dataclass(frozen=True, slots=True)
class RollbackCommand:
    """Which environment of which project goes back, and why; `to` None means to the version before the present one."""

    project: str
    environment: str = PRODUCTION
    to: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RollingBack:
    """Requests rollbacks."""

    gateway: Gateway

    async def roll_back(self, caller: Caller, command: RollbackCommand) -> SwitchAccepted:
        """Return once the request is durable.

        Raises:
            Refusal: there is nothing to go back to, it cannot answer any more, or needs a value that was shredded.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.DEPLOY)
        asking = Asking.by(self.gateway, caller, command.reason)

        async def attempt() -> SwitchAccepted:
            finder = Finder(self.gateway.rows, caller.team)
            project = await finder.project(command.project)
            environment = await finder.environment(project, command.environment)
            routes = await self.gateway.rows.get(ROUTES, project.key)
            event = await self._decide(finder, project, environment, command.to, routes)
            await check_values(self.gateway, event.to, "to", _ANOTHER)
            sequence = await asking.append(project, event, routes)
            return SwitchAccepted(asking.id, project.row.slug, environment.name, event.to, event.before, sequence)

        return await decided(self.gateway, attempt)

    async def _decide(
        self,
        finder: Finder,
        project: Versioned[Project],
        environment: Environment,
        to: str | None,
        routes: Versioned[Routes] | None,
    ) -> RollbackRequested:
        alias = None if routes is None else routes.row.alias_of(environment.id)
        releases = await retired(self.gateway, project)
        if to is not None:
            return decide_rollback(environment, alias, _candidate(await finder.deployment(to)), releases)
        before = () if alias is None else alias.before
        earlier = await finder.candidates(before, ProjectId(project.key))
        known = None if routes is None else routes.row
        return decide_step_back(environment, known, [_candidate(one) for one in earlier], releases)


def _candidate(found: Versioned[Deployment]) -> Candidate:
    return Candidate(DeploymentId(found.key), found.row)
