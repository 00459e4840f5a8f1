"""What a decision stands on: the rows of one project, and the sequences that they stand at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from windlass_contracts.ids import DeploymentId, ProjectId, TeamId
from windlass_contracts.lifecycle import Phase
from windlass_contracts.subjects import Aggregate, AggregateKey
from windlass_eventlog.projection import Rows, Versioned
from windlass_router.application.projections import DEPLOYMENTS, PLACES, ROUTES
from windlass_router.domain.deployment import Deployment
from windlass_router.domain.giving_up import deleted_addresses
from windlass_router.domain.place import Place
from windlass_router.domain.routes import Routes
from windlass_router.domain.situation import Situation


@dataclass(frozen=True, slots=True)
class Ground:
    """The rows of a project."""

    team: TeamId
    project: ProjectId
    place: Place
    routes: Versioned[Routes]
    deployments: Mapping[DeploymentId, Versioned[Deployment]]

    def situation(self, now: datetime, refusals: Mapping[int, str]) -> Situation:
        deployments = {identity: found.row for identity, found in self.deployments.items()}
        return Situation(self.place, self.routes.row, deployments, now, refusals)

    def of_deployment(self, deployment: DeploymentId) -> tuple[AggregateKey, int]:
        """Return the deployment's aggregate, and where it ended when it was read."""
        key = AggregateKey.of_deployment(self.team, self.project, deployment)
        return key, self.deployments[deployment].sequence

    @property
    def of_routes(self) -> tuple[AggregateKey, int]:
        """The aggregate of the project's routes, and where it ended when it was read."""
        return AggregateKey.of_project(self.team, self.project, Aggregate.ROUTES), self.routes.sequence


async def read_ground(rows: Rows, team: TeamId, project: ProjectId) -> Ground:
    place = await rows.get(PLACES, project)
    routes = await rows.get(ROUTES, project) or Versioned(project, Routes(team=team, project=project), 0)
    known = Place(team=team, project=project) if place is None else place.row
    due = await rows.find(DEPLOYMENTS, {"project": project, "phase": (Phase.HEALTHY, Phase.CUTOVER)})
    deployments = {DeploymentId(found.key): found for found in due}
    if gone := tuple(deleted_addresses(known, routes.row)):
        of_branches = await rows.find(DEPLOYMENTS, {"project": project, "branch": gone})
        deployments |= {DeploymentId(found.key): found for found in of_branches}
    named = await rows.get_all(DEPLOYMENTS, _named(routes.row) - deployments.keys())
    deployments |= {DeploymentId(key): found for key, found in named.items()}
    return Ground(team, project, known, routes, deployments)


def _named(routes: Routes) -> frozenset[DeploymentId]:
    """Return the deployments that addresses point at, or whose place those took, or that somebody asked for."""
    replaced = {one.current.instead_of for one in routes.pointers.values()} - {None}
    return routes.awake | {one for one in replaced if one} | {request.to for request in routes.requests.values()}
