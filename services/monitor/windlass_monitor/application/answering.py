"""Which environments a deployment answers in, known without asking: each probe asks."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from windlass_contracts.events import AliasesChanged, WeightChanged
from windlass_contracts.ids import EnvironmentId, ProjectId
from windlass_eventlog.projection import Rows
from windlass_eventlog.reactor import Reactor, WakeUp
from windlass_monitor.application.projections import ROUTES
from windlass_monitor.domain.routes import Routes


class Place(NamedTuple):
    """An environment of a project."""

    project: ProjectId
    environment: EnvironmentId


@dataclass(slots=True)
class Answering:
    """What the rows say of all projects, by deployment."""

    rows: Rows
    _routes: dict[UUID, Routes] = field(default_factory=dict)
    _places: dict[UUID, frozenset[Place]] = field(default_factory=dict)

    @property
    def reactor(self) -> Reactor:
        return Reactor("know what answers", frozenset({AliasesChanged, WeightChanged}), self.follow)

    def places(self, deployment: UUID) -> Collection[Place]:
        """Return the environments in which it answers, or gets a part of the requests."""
        return self._places.get(deployment, frozenset())

    async def restore(self) -> None:
        """Learn what answers now."""
        for known in await self.rows.find(ROUTES, {}):
            self._learn(known.key, known.row)

    async def follow(self, wake: WakeUp) -> None:
        """Learn what answers in a project now."""
        known = await self.rows.get(ROUTES, wake.recorded.project)
        if known is not None:
            self._learn(known.key, known.row)

    def _learn(self, project: UUID, routes: Routes) -> None:
        before = self._routes.get(project)
        if before is not None:
            for deployment in {*before.current.values(), *before.weighted.values()}:
                self._places.pop(deployment, None)
        self._routes[project] = routes
        self._places.update({one: frozenset(places) for one, places in _by_deployment(routes).items()})


def _by_deployment(routes: Routes) -> Mapping[UUID, set[Place]]:
    found: defaultdict[UUID, set[Place]] = defaultdict(set)
    for answering in (routes.current, routes.weighted):
        for environment, deployment in answering.items():
            found[deployment].add(Place(routes.project, environment))
    return found
