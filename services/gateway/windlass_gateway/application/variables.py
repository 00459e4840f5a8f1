"""The use cases of variables: the value goes into the vault first, then the event names it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

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
from windlass_gateway.domain.variables import Preview, Variables, decide_removal, decide_settings, preview
from windlass_gateway.domain.writes import Write


@dataclass(frozen=True, slots=True)
class VariablesPlace:
    """Which project's variables, of which environment; without one, those that count in each."""

    project: str
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class VariablePlace:
    """Which variable of which project; without an environment, the one that counts in each."""

    project: str
    name: str
    environment: str | None = None

    @property
    def around(self) -> VariablesPlace:
        return VariablesPlace(self.project, self.environment)


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
        await self._find(caller, place.around)  # a refusal comes before anything is stored
        secret = await self.gateway.vault.store(value)
        identity = EventId(self.gateway.fresh_id())

        async def attempt() -> int:
            found = await self._find(caller, place.around)
            event = VariableSet(name=place.name, environment=found.environment, secret=secret)
            return await self._append(caller, found, [event], identity)

        return await decided(self.gateway, attempt)

    async def set_many(self, caller: Caller, place: VariablesPlace, values: Mapping[str, str]) -> int:
        """Set variables for the deployments to come, and return the last event's sequence.

        Raises:
            Refusal: there is no such project or environment, or there would be too many variables; none is set.
            EventLogError: the log or the vault did not take it.
        """
        caller.demand(Permission.CONFIGURE)
        known = await self._find(caller, place)
        placeholders = dict.fromkeys(values, UUID(int=0))
        decide_settings(known.variables, placeholders, known.environment)  # a refusal comes before anything is stored
        secrets = {name: await self.gateway.vault.store(value) for name, value in values.items()}
        identity = EventId(self.gateway.fresh_id())

        async def attempt() -> int:
            found = await self._find(caller, place)
            events = decide_settings(found.variables, secrets, found.environment)
            return await self._append(caller, found, events, identity)

        return await decided(self.gateway, attempt)

    async def preview(self, caller: Caller, place: VariablesPlace, names: Collection[str]) -> Preview:
        """Say what setting variables would do.

        Raises:
            Refusal: there is no such project or environment.
        """
        caller.demand(Permission.READ)
        found = await self._find(caller, place)
        return preview(found.variables, names, found.environment)

    async def remove(self, caller: Caller, place: VariablePlace) -> int:
        """Remove a variable for the deployments to come, and return the event's sequence.

        Raises:
            Refusal: there is no such project, environment or variable.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.CONFIGURE)
        identity = EventId(self.gateway.fresh_id())

        async def attempt() -> int:
            found = await self._find(caller, place.around)
            event = decide_removal(found.project.row.slug, found.variables, place.name, found.environment)
            return await self._append(caller, found, [event], identity)

        return await decided(self.gateway, attempt)

    async def _find(self, caller: Caller, place: VariablesPlace) -> _Found:
        finder = Finder(self.gateway.rows, caller.team)
        project = await finder.project(place.project)
        wanted = place.environment
        environment = None if wanted is None else (await finder.environment(project, wanted)).id
        row = await self.gateway.rows.get(VARIABLES, project.key)
        return _Found(project, environment) if row is None else _Found(project, environment, row.row, row.sequence)

    async def _append(self, caller: Caller, found: _Found, events: Sequence[Event], identity: EventId) -> int:
        if not events:
            return found.sequence
        key = AggregateKey.of_project(caller.team, ProjectId(found.project.key), Aggregate.VARIABLES)
        writes = [Write(key, event, found.sequence) for event in events]
        return await append_all(self.gateway, writes, Signature(caller.actor, identity))
