"""The use cases of a project's settings: how it is built and run, and which pushes go where."""

from collections.abc import Sequence
from dataclasses import dataclass

from windlass_contracts.event import Event
from windlass_contracts.ids import EnvironmentId, EventId, ProjectId
from windlass_contracts.subjects import Aggregate, AggregateKey
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.decisions import Signature, append_all, decided
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import ENVIRONMENTS
from windlass_gateway.domain.branches import decide_branches
from windlass_gateway.domain.environments import Environments
from windlass_gateway.domain.project import Project, ProjectChange, decide_configuration
from windlass_gateway.domain.writes import Write


@dataclass(frozen=True, slots=True)
class Configuring:
    """Changes projects for the deployments to come. Each returns the sequence to wait for, changed or not."""

    gateway: Gateway

    async def project(self, caller: Caller, slug: str, change: ProjectChange) -> int:
        """Change a project's name, repository, default branch or configuration.

        Raises:
            Refusal: there is no such project, or the configuration does not go together.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.CONFIGURE)
        identity = EventId(self.gateway.fresh_id())

        async def attempt() -> int:
            found = await self._project(caller, slug)
            event = decide_configuration(found.row, change)
            return await self._append(caller, found, event, found.sequence, identity)

        return await decided(self.gateway, attempt)

    async def branches(self, caller: Caller, slug: str, environment: str, branches: Sequence[str]) -> int:
        """Say which pushes go to an environment, which comes into being with it.

        Raises:
            Refusal: there is no such project, or a pattern belongs to another environment.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.CONFIGURE)
        identity, fresh = EventId(self.gateway.fresh_id()), EnvironmentId(self.gateway.fresh_id())

        async def attempt() -> int:
            found = await self._project(caller, slug)
            known = await self.gateway.rows.get(ENVIRONMENTS, found.key)
            row, sequence = (Environments(), 0) if known is None else (known.row, known.sequence)
            event = decide_branches(row, environment, branches, fresh)
            return await self._append(caller, found, event, sequence, identity)

        return await decided(self.gateway, attempt)

    async def _project(self, caller: Caller, slug: str) -> Versioned[Project]:
        return await Finder(self.gateway.rows, caller.team).project(slug)

    async def _append(
        self, caller: Caller, found: Versioned[Project], event: Event | None, after: int, identity: EventId
    ) -> int:
        if event is None:
            return after
        key = AggregateKey.of_project(caller.team, ProjectId(found.key), Aggregate(event.AGGREGATE))
        return await append_all(self.gateway, [Write(key, event, after)], Signature(caller.actor, identity))
