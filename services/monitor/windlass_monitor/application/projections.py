"""What the monitor reads from the log."""

from windlass_contracts.subjects import Aggregate
from windlass_eventlog.projection import Projection, aggregate_key
from windlass_monitor.domain import deployment, routes
from windlass_monitor.domain.deployment import Deployment
from windlass_monitor.domain.routes import Routes

DEPLOYMENTS = Projection(
    name="deployments",
    version=2,
    row=Deployment,
    key=aggregate_key(Aggregate.DEPLOYMENT),
    evolve=deployment.evolve,
    indexes=("watched",),
)

ROUTES = Projection(name="routes", version=1, row=Routes, key=aggregate_key(Aggregate.ROUTES), evolve=routes.evolve)

ALL = (DEPLOYMENTS, ROUTES)
