"""What the monitor reads from the log."""

from windlass_contracts.subjects import Aggregate
from windlass_eventlog.projection import Projection, aggregate_key
from windlass_monitor.domain import deployment, place, routes
from windlass_monitor.domain.deployment import Deployment
from windlass_monitor.domain.place import Place
from windlass_monitor.domain.routes import Routes

DEPLOYMENTS = Projection(
    name="deployments",
    version=5,
    row=Deployment,
    key=aggregate_key(Aggregate.DEPLOYMENT),
    evolve=deployment.evolve,
    indexes=("watched",),
)

PLACES = Projection(name="places", version=1, row=Place, key=aggregate_key(Aggregate.ENVIRONMENTS), evolve=place.evolve)

ROUTES = Projection(name="routes", version=3, row=Routes, key=aggregate_key(Aggregate.ROUTES), evolve=routes.evolve)

ALL = (DEPLOYMENTS, PLACES, ROUTES)
