"""Rows with the names and addresses that belong to them, ready to be shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from windlass_contracts.ids import DeploymentId
from windlass_eventlog.projection import Rows, Versioned
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.projections import PROJECTS, ROUTES, VARIABLES
from windlass_gateway.application.uptimes import Uptimes
from windlass_gateway.domain.branches import takes_default_branch
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.environments import Environment, Environments
from windlass_gateway.domain.holding import is_live_beside
from windlass_gateway.domain.project import Project
from windlass_gateway.domain.restoring import was_taken_back
from windlass_gateway.domain.routes import Routes
from windlass_gateway.domain.sharing import rolled_out
from windlass_gateway.domain.shredding import Affected
from windlass_gateway.domain.variables import Variables
from windlass_gateway.entrypoints.deployment_views import DeploymentSummary, DeploymentView, Named, summary_of, view_of
from windlass_gateway.entrypoints.places import Places
from windlass_gateway.entrypoints.uptime_views import UptimeView
from windlass_gateway.entrypoints.variable_views import AffectedView, VariableView
from windlass_gateway.entrypoints.views import EnvironmentView, HoldView, ProjectView


@dataclass(frozen=True, slots=True)
class _Surroundings:
    slug: str
    environments: Environments
    routes: Routes | None


class Shown:
    """Loads what belongs to rows, each project's once."""

    def __init__(self, finder: Finder, places: Places, uptimes: Uptimes | None = None) -> None:
        self._finder = finder
        self._uptimes = uptimes or Uptimes()
        self._rows: Rows = finder.rows
        self._places = places
        self._known: dict[UUID, _Surroundings] = {}

    async def summary(self, found: Versioned[Deployment]) -> DeploymentSummary:
        return summary_of(found.row, await self._named(found))

    async def deployment(self, found: Versioned[Deployment]) -> DeploymentView:
        return view_of(found.row, await self._named(found))

    async def project(self, found: Versioned[Project]) -> ProjectView:
        around = await self._around(found.key)
        return ProjectView(
            id=found.key,
            slug=found.row.slug,
            name=found.row.name,
            repository=found.row.repository,
            default_branch=found.row.default_branch,
            created_at=found.row.created_at,
            config=found.row.config,
            environments=[self._environment(around, one) for one in around.environments.all],
        )

    async def environment(self, project: Versioned[Project], environment: Environment) -> EnvironmentView:
        return self._environment(await self._around(project.key), environment)

    async def variables(self, project: Versioned[Project]) -> list[VariableView]:
        found = await self._rows.get(VARIABLES, project.key)
        around = await self._around(project.key)
        views = []
        for one in (Variables() if found is None else found.row).all:
            environment = None if one.environment is None else around.environments.by_id(one.environment)
            name = None if environment is None else environment.name
            views.append(VariableView(name=one.name, environment=name, set_at=one.set_at))
        return sorted(views, key=lambda view: (view.name, view.environment or ""))

    async def affected(self, project: UUID, found: Iterable[Affected]) -> list[AffectedView]:
        environments = (await self._around(project)).environments
        views = []
        for one in found:
            environment = environments.by_id(one.environment)
            name = str(one.environment) if environment is None else environment.name
            views.append(AffectedView(id=one.id, environment=name, commit=one.commit, loss=one.loss))
        return views

    def _environment(self, around: _Surroundings, environment: Environment) -> EnvironmentView:
        alias = None if around.routes is None else around.routes.alias_of(environment.id)
        hold = None if around.routes is None else around.routes.hold_of(environment.id)
        uptime = self._uptimes.of(environment.id)
        return EnvironmentView(
            name=environment.name,
            production=environment.production,
            branches=list(environment.branches),
            takes_default_branch=takes_default_branch(environment),
            url=None if alias is None or alias.current is None else self._places.of_alias(alias),
            current=None if alias is None else alias.current,
            previous=alias.before[0] if alias is not None and alias.before else None,
            held=None if hold is None else HoldView.model_validate(hold),
            uptime=None if uptime is None else UptimeView.of(uptime),
        )

    async def _named(self, found: Versioned[Deployment]) -> Named:
        around = await self._around(found.row.project)
        identity = DeploymentId(found.key)
        environment = around.environments.by_id(found.row.environment)
        alias = None if around.routes is None else around.routes.alias_of(found.row.environment)
        share = rolled_out(around.environments, around.routes, identity)
        return Named(
            id=identity,
            sequence=found.sequence,
            project=around.slug,
            environment=str(found.row.environment) if environment is None else environment.name,
            current=alias is not None and alias.current == identity,
            held_back=is_live_beside(environment, around.routes, identity, found.row),
            taken_back=was_taken_back(around.environments, around.routes, identity),
            share=None if share is None else share.percent,
            urls=self._urls(around, environment, identity, found.row),
        )

    def _urls(
        self, around: _Surroundings, environment: Environment | None, identity: DeploymentId, row: Deployment
    ) -> list[str]:
        if not row.ended and environment is not None:
            return self._places.expected(around.slug, environment, identity)
        if around.routes is None or not row.was_live:
            return []
        return [self._places.of_alias(alias) for alias in around.routes.pointing_at(identity)]

    async def _around(self, project: UUID) -> _Surroundings:
        if project not in self._known:
            found = await self._rows.get(PROJECTS, project)
            routes = await self._rows.get(ROUTES, project)
            self._known[project] = _Surroundings(
                slug=str(project) if found is None else found.row.slug,
                environments=await self._finder.environments(project),
                routes=None if routes is None else routes.row,
            )
        return self._known[project]
