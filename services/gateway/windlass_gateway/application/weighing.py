"""The use cases of a gradual rollout by hand: giving a version a weight in an environment, and stopping that."""

from dataclasses import dataclass

from windlass_contracts.ids import DeploymentId, EventId
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.decisions import decided
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import ROUTES
from windlass_gateway.application.switching import Asking, SwitchAccepted, check_values, retired
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.environments import PRODUCTION
from windlass_gateway.domain.project import Project
from windlass_gateway.domain.refusals import DeploymentNotFoundError
from windlass_gateway.domain.rolling_back import Candidate
from windlass_gateway.domain.weighing import decide_stop, decide_weight

_ANOTHER = "Roll out another deployment; or set the variable and deploy the same commit again."


@dataclass(frozen=True, slots=True)
class WeighCommand:
    """Which percentage of an environment's requests a deployment shall get."""

    deployment: str
    percent: int
    to: str = PRODUCTION


@dataclass(frozen=True, slots=True)
class StopCommand:
    """In which environment of a project a rollout shall end; `deployment` is whose, None is whatever has a weight."""

    project: str
    environment: str = PRODUCTION
    deployment: str | None = None


@dataclass(frozen=True, slots=True)
class StopAccepted:
    """The stop that was appended; `weighed` gets a part of the requests until then, None where that was only wanted."""

    request: EventId
    project: str
    environment: str
    weighed: DeploymentId | None
    sequence: int


@dataclass(frozen=True, slots=True)
class Weighing:
    """Requests weights and stops rollouts."""

    gateway: Gateway

    async def weigh(self, caller: Caller, command: WeighCommand) -> SwitchAccepted:
        """Return once the request is durable.

        Raises:
            Refusal: there is no such weight, or the deployment cannot get it.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.DEPLOY)
        asking = Asking.by(self.gateway, caller, None)

        async def attempt() -> SwitchAccepted:
            finder = Finder(self.gateway.rows, caller.team)
            target, project = await _of_deployment(finder, command.deployment)
            environment = await finder.environment(project, command.to)
            routes = await self.gateway.rows.get(ROUTES, project.key)
            candidate = Candidate(DeploymentId(target.key), target.row)
            gone = await retired(self.gateway, project)
            known = None if routes is None else routes.row
            event = decide_weight(environment, known, candidate, gone, command.percent)
            await check_values(self.gateway, event.to, "deployment", _ANOTHER)
            sequence = await asking.append(project, event, routes)
            return SwitchAccepted(asking.id, project.row.slug, environment.name, event.to, event.before, sequence)

        return await decided(self.gateway, attempt)

    async def stop(self, caller: Caller, command: StopCommand) -> StopAccepted:
        """Return once the stop is durable.

        Raises:
            Refusal: nothing is rolled out in the environment, or another deployment, or there is none of that name.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.DEPLOY)
        asking = Asking.by(self.gateway, caller, None)

        async def attempt() -> StopAccepted:
            finder = Finder(self.gateway.rows, caller.team)
            project = await finder.project(command.project)
            environment = await finder.environment(project, command.environment)
            named = None if command.deployment is None else await finder.deployment(command.deployment)
            meant = None if named is None else DeploymentId(named.key)
            routes = await self.gateway.rows.get(ROUTES, project.key)
            event = decide_stop(environment, None if routes is None else routes.row, meant)
            weight = None if routes is None else routes.row.weights.now.get(environment.id)
            weighed = None if weight is None else weight.deployment
            sequence = await asking.append(project, event, routes)
            return StopAccepted(asking.id, project.row.slug, environment.name, weighed, sequence)

        return await decided(self.gateway, attempt)


async def _of_deployment(finder: Finder, named: str) -> tuple[Versioned[Deployment], Versioned[Project]]:
    target = await finder.deployment(named)
    project = await finder.project_by_id(target.row.project)
    if project is None:
        raise DeploymentNotFoundError(named)
    return target, project
