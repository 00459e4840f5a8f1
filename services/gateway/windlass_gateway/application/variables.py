"""The use cases of variables: the value goes into the vault first, then the event names it."""

from dataclasses import dataclass, field

from windlass_contracts.event import Event
from windlass_contracts.events import VariableSet
from windlass_contracts.ids import EnvironmentId, EventId, ProjectId
from windlass_contracts.subjects import Aggregate, AggregateKey
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.decisions import Signature, append_all, decided
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import VARIABLES
from windlass_gateway.domain.project import Project
from windlass_gateway.domain.variables import Variables, decide_removal
from windlass_gateway.domain.writes import Write


@dataclass(frozen=True, slots=True)
class VariablePlace:
    """Which variable of which project; without an environment, the one that counts in each."""

    project: str
    name: str
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    project: Versioned[Project]
    environment: EnvironmentId | None
    variables: Variables = field(default_factory=Variables)
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class SettingVariables:
    """Sets and removes variables; deployments that exist keep the values that they were made with."""

    gateway: Gateway

    async def set(self, caller: Caller, place: VariablePlace, value: str) -> int:
        """Set a variable for the deployments to come, and return the event's sequence.

        Raises:
            Refusal: there is no such project or environment.
            EventLogError: the log or the vault did not take it.
        """
        caller.demand(Permission.CONFIGURE)
        await self._find(caller, place)  # a refusal comes before anything is stored
        secret = await self.gateway.vault.store(value)
        identity = EventId(self.gateway.fresh_id())

        async def attempt() -> int:
            found = await self._find(caller, place)
            event = VariableSet(name=place.name, environment=found.environment, secret=secret)
            return await self._append(caller, found, event, identity)

        return await decided(self.gateway, attempt)

    async def remove(self, caller: Caller, place: VariablePlace) -> int:
        """Remove a variable for the deployments to come, and return the event's sequence.

        Raises:
            Refusal: there is no such project, environment or variable.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.CONFIGURE)
        identity = EventId(self.gateway.fresh_id())

        async def attempt() -> int:
            found = await self._find(caller, place)
            event = decide_removal(found.project.row.slug, found.variables, place.name, found.environment)
            return await self._append(caller, found, event, identity)

        return await decided(self.gateway, attempt)

    async def _find(self, caller: Caller, place: VariablePlace) -> _Found:
        finder = Finder(self.gateway.rows, caller.team)
        project = await finder.project(place.project)
        wanted = place.environment
        environment = None if wanted is None else (await finder.environment(project, wanted)).id
        row = await self.gateway.rows.get(VARIABLES, project.key)
        return _Found(project, environment) if row is None else _Found(project, environment, row.row, row.sequence)

    async def _append(self, caller: Caller, found: _Found, event: Event, identity: EventId) -> int:
        key = AggregateKey.of_project(caller.team, ProjectId(found.project.key), Aggregate.VARIABLES)
        write = Write(key, event, found.sequence)
        return await append_all(self.gateway, [write], Signature(caller.actor, identity))
