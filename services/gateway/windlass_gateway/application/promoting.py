"""The use case of a promotion: any deployment that was live, to any environment of its project."""

from dataclasses import dataclass

from windlass_contracts.ids import DeploymentId
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.decisions import decided
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import ROUTES
from windlass_gateway.application.switching import Asking, SwitchAccepted, check_values, retired
from windlass_gateway.domain.environments import PRODUCTION
from windlass_gateway.domain.promoting import decide_promotion
from windlass_gateway.domain.refusals import DeploymentNotFoundError
from windlass_gateway.domain.rolling_back import Candidate


@dataclass(frozen=True, slots=True)
class PromoteCommand:
    """Which deployment an environment shall answer with, and why."""

    deployment: str
    to: str = PRODUCTION
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Promoting:
    """Requests promotions."""

    gateway: Gateway

    async def promote(self, caller: Caller, command: PromoteCommand) -> SwitchAccepted:
        """Return once the request is durable.

        Raises:
            Refusal: the deployment cannot answer there (any more), or needs a value that was shredded.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.DEPLOY)
        asking = Asking.by(self.gateway, caller, command.reason)

        async def attempt() -> SwitchAccepted:
            finder = Finder(self.gateway.rows, caller.team)
            target = await finder.deployment(command.deployment)
            project = await finder.project_by_id(target.row.project)
            if project is None:
                raise DeploymentNotFoundError(command.deployment)
            slug = project.row.slug
            environment = await finder.environment(project, command.to)
            routes = await self.gateway.rows.get(ROUTES, project.key)
            candidate = Candidate(DeploymentId(target.key), target.row)
            gone = await retired(self.gateway, project)
            event = decide_promotion(slug, environment, None if routes is None else routes.row, candidate, gone)
            next_step = "Promote another deployment; or set the variable and deploy the same commit again."
            await check_values(self.gateway, event.to, "deployment", next_step)
            sequence = await asking.append(project, event, routes)
            return SwitchAccepted(asking.id, slug, environment.name, event.to, event.before, sequence)

        return await decided(self.gateway, attempt)
