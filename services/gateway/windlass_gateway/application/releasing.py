"""The use case of a release: an environment that was rolled back takes what is pushed again."""

from dataclasses import dataclass

from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.decisions import decided
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import ROUTES
from windlass_gateway.application.switching import Asking
from windlass_gateway.domain.holding import decide_release


@dataclass(frozen=True, slots=True)
class Releasing:
    """Releases environments."""

    gateway: Gateway

    async def release(self, caller: Caller, slug: str, name: str, reason: str | None = None) -> int:
        """Return the sequence of the release once it is durable.

        Raises:
            Refusal: no rollback holds the environment, or there is none of that name.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.DEPLOY)
        asking = Asking.by(self.gateway, caller, reason)

        async def attempt() -> int:
            finder = Finder(self.gateway.rows, caller.team)
            project = await finder.project(slug)
            environment = await finder.environment(project, name)
            routes = await self.gateway.rows.get(ROUTES, project.key)
            event = decide_release(environment, None if routes is None else routes.row)
            return await asking.append(project, event, routes)

        return await decided(self.gateway, attempt)
