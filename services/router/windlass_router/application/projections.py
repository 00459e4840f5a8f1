"""The router's projections, by what they are folded from."""

from uuid import UUID

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.subjects import Aggregate
from windlass_eventlog.projection import Projection, aggregate_key
from windlass_router.domain import deployment, place, routes
from windlass_router.domain.deployment import Deployment
from windlass_router.domain.place import Place
from windlass_router.domain.routes import Routes


def _project(recorded: Recorded[Event]) -> UUID | None:
    named = recorded.key.aggregate in {Aggregate.PROJECT, Aggregate.ENVIRONMENTS, Aggregate.DOMAINS}
    return recorded.project if named else None


PLACES = Projection(name="places", version=2, row=Place, key=_project, evolve=place.evolve)

DEPLOYMENTS = Projection(
    name="deployments",
    version=7,
    row=Deployment,
    key=aggregate_key(Aggregate.DEPLOYMENT),
    evolve=deployment.evolve,
    indexes=("routable", "project", "phase", "branch"),
)

ROUTES = Projection(name="routes", version=5, row=Routes, key=aggregate_key(Aggregate.ROUTES), evolve=routes.evolve)

ALL = (PLACES, DEPLOYMENTS, ROUTES)
