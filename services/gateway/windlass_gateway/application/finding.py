"""Finding what a caller names, within what belongs to their team."""

import re
from dataclasses import dataclass
from uuid import UUID

from windlass_contracts.ids import DeploymentId, ProjectId, TeamId
from windlass_eventlog.projection import Rows, Versioned
from windlass_gateway.application.projections import DEPLOYMENTS, ENVIRONMENTS, INSPECTIONS, PROJECTS, REGISTRIES, RUNS
from windlass_gateway.domain.deployment import SHORTEST_PREFIX, Deployment
from windlass_gateway.domain.environments import Environment, Environments
from windlass_gateway.domain.inspection import Inspection
from windlass_gateway.domain.project import REGISTRY, Project
from windlass_gateway.domain.refusals import (
    DeploymentNotFoundError,
    EnvironmentNotFoundError,
    InspectionNotFoundError,
    InvalidInputError,
    ProjectNotFoundError,
    RunNotFoundError,
)
from windlass_gateway.domain.run import Run

_HEX = re.compile(r"[0-9a-f]+")
_WHOLE = 32
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Finder:
    """Looks for what one team has."""

    rows: Rows
    team: TeamId

    async def project(self, slug: str) -> Versioned[Project]:
        """Return a project by its name.

        Raises:
            ProjectNotFoundError: the team has none of that name.
        """
        registry = await self.rows.get(REGISTRIES, REGISTRY)
        identity = None if registry is None else registry.row.projects.get(slug)
        found = None if identity is None else await self.project_by_id(identity)
        if found is None:
            raise ProjectNotFoundError(slug[:_SHOWN])
        return found

    async def project_by_id(self, identity: UUID) -> Versioned[Project] | None:
        found = await self.rows.get(PROJECTS, identity)
        return None if found is None or found.row.team != self.team else found

    async def environments(self, project: UUID) -> Environments:
        found = await self.rows.get(ENVIRONMENTS, project)
        return Environments() if found is None else found.row

    async def environment(self, project: Versioned[Project], name: str) -> Environment:
        """Return an environment of a project by its name.

        Raises:
            EnvironmentNotFoundError: the project has none of that name.
        """
        found = (await self.environments(project.key)).named(name)
        if found is None:
            raise EnvironmentNotFoundError(project.row.slug, name[:_SHOWN])
        return found

    async def deployment(self, written: str) -> Versioned[Deployment]:
        """Return a deployment by its id, or by a beginning of it that no other one has.

        Raises:
            DeploymentNotFoundError: the team has none of that id.
            InvalidInputError: it is no id, or several begin like that.
        """
        digits = written.lower().replace("-", "")
        if not _HEX.fullmatch(digits) or not SHORTEST_PREFIX <= len(digits) <= _WHOLE:
            raise InvalidInputError(
                f"{written[:_SHOWN]!r} is no deployment's id.",
                field="deployment",
                next_step=f"Give the id, or its first {SHORTEST_PREFIX} or more characters, from `windlass ps`.",
            )
        found = await self._beginning_with(digits)
        if not found:
            raise DeploymentNotFoundError(digits)
        if len(found) > 1:
            ids = ", ".join(sorted(one.key.hex[: len(digits) + SHORTEST_PREFIX] for one in found[:5]))
            raise InvalidInputError(
                f"Several deployments begin with {digits}: {ids}.",
                field="deployment",
                next_step="Give more of the id.",
            )
        return found[0]

    async def _beginning_with(self, digits: str) -> list[Versioned[Deployment]]:
        if len(digits) == _WHOLE:
            found = await self.rows.get(DEPLOYMENTS, UUID(digits))
            candidates = [] if found is None else [found]
        else:
            candidates = await self.rows.find(DEPLOYMENTS, {"prefix": digits[:SHORTEST_PREFIX]})
        return [one for one in candidates if one.row.team == self.team and one.key.hex.startswith(digits)]

    async def inspection(self, identity: UUID) -> Versioned[Inspection]:
        """Return an inspection.

        Raises:
            InspectionNotFoundError: the team has none of that id.
        """
        found = await self.rows.get(INSPECTIONS, identity)
        if found is None or found.row.team != self.team:
            raise InspectionNotFoundError(identity)
        return found

    async def run(self, identity: UUID, by: str) -> Versioned[Run]:
        """Return a command for whoever asked for it.

        Raises:
            RunNotFoundError: they did not ask for one of that id.
        """
        found = await self.rows.get(RUNS, identity)
        if found is None or found.row.team != self.team or found.row.by != by:
            raise RunNotFoundError(identity)
        return found

    async def candidates(self, ids: tuple[DeploymentId, ...], project: ProjectId) -> list[Versioned[Deployment]]:
        """Return those of the deployments that are the project's, in the order given."""
        found = [await self.rows.get(DEPLOYMENTS, identity) for identity in ids]
        return [one for one in found if one is not None and one.row.project == project]
