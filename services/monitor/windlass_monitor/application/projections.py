"""What the monitor reads from the log."""

from windlass_contracts.subjects import Aggregate
from windlass_eventlog.projection import Projection, aggregate_key
from windlass_monitor.domain.deployment import Deployment, evolve

DEPLOYMENTS = Projection(
    name="deployments",
    version=2,
    row=Deployment,
    key=aggregate_key(Aggregate.DEPLOYMENT),
    evolve=evolve,
    indexes=("watched",),
)
