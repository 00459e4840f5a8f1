"""The builder's projections, by what they are folded from."""

from windlass_builder.domain import credentials, deployment, inspection, queue, retention, routes, run
from windlass_builder.domain.credentials import Credentials
from windlass_builder.domain.deployment import Deployment
from windlass_builder.domain.inspection import Inspection
from windlass_builder.domain.queue import LastTurn
from windlass_builder.domain.retention import Releases
from windlass_builder.domain.routes import Routes
from windlass_builder.domain.run import Run
from windlass_contracts.events import BuildStarted
from windlass_contracts.subjects import Aggregate
from windlass_eventlog.projection import ByType, Projection, aggregate_key

DEPLOYMENTS = Projection(
    name="deployments",
    version=8,
    row=Deployment,
    key=aggregate_key(Aggregate.DEPLOYMENT),
    evolve=deployment.evolve,
    indexes=("occupied", "pending", "changing", "project"),
)

ROUTES = Projection(
    name="routes",
    version=9,
    row=Routes,
    key=aggregate_key(Aggregate.ROUTES),
    evolve=routes.evolve,
)

INSPECTIONS = Projection(
    name="inspections",
    version=1,
    row=Inspection,
    key=aggregate_key(Aggregate.INSPECTION),
    evolve=inspection.evolve,
)

CREDENTIALS = Projection(
    name="credentials",
    version=1,
    row=Credentials,
    key=aggregate_key(Aggregate.CREDENTIALS),
    evolve=credentials.evolve,
)

TURNS = Projection(
    name="turns",
    version=1,
    row=LastTurn,
    key=ByType(frozenset({BuildStarted}), lambda recorded: recorded.project),
    evolve=queue.evolve,
)

RUNS = Projection(
    name="runs",
    version=2,
    row=Run,
    key=aggregate_key(Aggregate.RUN),
    evolve=run.evolve,
    indexes=("project",),
)

RELEASES = Projection(
    name="releases",
    version=3,
    row=Releases,
    key=aggregate_key(Aggregate.RELEASES),
    evolve=retention.evolve,
)
