"""What the logs service reads from the log of events."""

from windlass_contracts.subjects import Aggregate
from windlass_eventlog.projection import Projection, aggregate_key
from windlass_logs.domain.deployment import Deployment, evolve

DEPLOYMENTS = Projection(
    name="deployments",
    version=1,
    row=Deployment,
    key=aggregate_key(Aggregate.DEPLOYMENT),
    evolve=evolve,
    indexes=("followed",),
)
