"""The use case of shredding: values of a variable are deleted for good, out of every deployment's reach."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import structlog

from windlass_contracts.ids import DeploymentId, EnvironmentId
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import DEPLOYMENTS, RELEASES, ROUTES, SECRETS, VARIABLES
from windlass_gateway.application.stored import absent
from windlass_gateway.application.variables import SettingVariables, VariablePlace
from windlass_gateway.domain.project import Project
from windlass_gateway.domain.refusals import VariableNotFoundError
from windlass_gateway.domain.releases import Releases
from windlass_gateway.domain.rolling_back import Candidate
from windlass_gateway.domain.shredding import Affected, Around, affected

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Shreddable:
    """What shredding deletes: `values` versions of the variable; `is_set` says whether it is removed by it as well."""

    values: frozenset[UUID]
    is_set: bool
    affected: tuple[Affected, ...]


@dataclass(frozen=True, slots=True)
class Shredded:
    """What was shredded. Rows show it from `sequence` on."""

    values: int
    affected: tuple[Affected, ...]
    sequence: int


@dataclass(frozen=True, slots=True)
class Shredding:
    """Shreds values: all that a variable ever had in a place, or, with `replaced`, those before the present one."""

    gateway: Gateway

    async def preview(self, caller: Caller, place: VariablePlace, *, replaced: bool = False) -> Shreddable:
        """Return what shredding would delete, and what can then not be gone back to any more.

        Raises:
            Refusal: there is no such project, environment or variable.
            EventLogError: the log or the vault does not answer.
        """
        caller.demand(Permission.CONFIGURE)
        finder = Finder(self.gateway.rows, caller.team)
        project = await finder.project(place.project)
        return await self._found(finder, project, place, replaced=replaced)

    async def shred(self, caller: Caller, place: VariablePlace, *, replaced: bool = False) -> Shredded:
        """Remove the variable, then delete its values; cut short in between, it is done by doing it again.

        Raises:
            Refusal: there is no such project, environment or variable; nothing was changed.
            EventLogError: the log or the vault does not answer.
        """
        await self.gateway.rows.reached(self.gateway.own.sequence)
        found = await self.preview(caller, place, replaced=replaced)
        sequence = self.gateway.own.sequence
        if found.is_set and not replaced:
            # First: a deployment that is requested from here on does not name what is about to go.
            sequence = await SettingVariables(self.gateway).remove(caller, place)
            await self.gateway.rows.reached(sequence)
            found = await self.preview(caller, place, replaced=replaced)
        await asyncio.gather(*(self.gateway.vault.shred(secret) for secret in found.values))
        await _log.ainfo(
            "values.shredded", by=caller.actor, project=place.project, variable=place.name, values=len(found.values)
        )
        return Shredded(len(found.values), found.affected, sequence)

    async def _found(
        self, finder: Finder, project: Versioned[Project], place: VariablePlace, *, replaced: bool
    ) -> Shreddable:
        wanted = place.environment
        environment = None if wanted is None else (await finder.environment(project, wanted)).id
        named = await self._named(project.key, place.name, environment)
        variables = await self.gateway.rows.get(VARIABLES, project.key)
        current = None if variables is None else variables.row.find(place.name, environment)
        if not named:
            raise VariableNotFoundError(project.row.slug, place.name)
        kept = {current.secret} if current is not None and replaced else set()
        doomed = named - kept
        values = doomed - await absent(self.gateway.vault, doomed)
        return Shreddable(values, current is not None, await self._affected(finder, project, values))

    async def _named(self, project: UUID, name: str, environment: EnvironmentId | None) -> frozenset[UUID]:
        found = await self.gateway.rows.find(SECRETS, {"project": str(project), "name": name})
        return frozenset(one.key for one in found if one.row.environment == environment)

    async def _affected(
        self, finder: Finder, project: Versioned[Project], doomed: Collection[UUID]
    ) -> tuple[Affected, ...]:
        if not doomed:
            return ()
        deployments = await self.gateway.rows.find(DEPLOYMENTS, {"project": str(project.key)})
        routes = await self.gateway.rows.get(ROUTES, project.key)
        releases = await self.gateway.rows.get(RELEASES, project.key)
        around = Around(
            environments=await finder.environments(project.key),
            routes=None if routes is None else routes.row,
            releases=Releases() if releases is None else releases.row,
        )
        return affected([Candidate(DeploymentId(one.key), one.row) for one in deployments], doomed, around)
