"""What bears on a deployment beside its own row, gathered for its explanation."""

from windlass_contracts.ids import DeploymentId
from windlass_contracts.subjects import Service
from windlass_eventlog.dead_letters.letter import DEAD_LETTERS, Retrying
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import (
    ACTIVITIES,
    ENVIRONMENTS,
    PROJECTS,
    RELEASES,
    ROUTES,
    activity_key,
)
from windlass_gateway.domain.bearings import Bearings, GivenUp
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.environments import Environments
from windlass_gateway.domain.explanation import Explanation, explain
from windlass_gateway.domain.holding import held_back
from windlass_gateway.domain.releases import Releases
from windlass_gateway.domain.replacing import Replaced, replaced
from windlass_gateway.domain.restoring import taken_back
from windlass_gateway.domain.rolling_back import Candidate
from windlass_gateway.domain.routes import Routes
from windlass_gateway.domain.sharing import shares_of


async def explained(gateway: Gateway, found: Versioned[Deployment]) -> Explanation:
    """Return the explanation of a deployment as it stands now.

    Raises:
        RowsUnavailableError, HaltedError: the rows cannot be read.
    """
    rows = gateway.rows
    routes = await rows.get(ROUTES, found.row.project)
    requests = {} if routes is None else {key: one for key, one in routes.row.requests.items() if one.to == found.key}
    correlations = (found.row.correlation, *requests)
    letters = await rows.find(DEAD_LETTERS, {"team": found.row.team, "correlation": correlations, "unanswered": True})
    activities = await rows.get_all(ACTIVITIES, [activity_key(service) for service in Service])
    environments = await rows.get(ENVIRONMENTS, found.row.project)
    environment = None if environments is None else environments.row.by_id(found.row.environment)
    known = None if routes is None else routes.row
    bearings = Bearings(
        given_up=[
            GivenUp(one.key, one.row.service, one.row.reactor, isinstance(one.row.state, Retrying)) for one in letters
        ],
        switches=list(requests.values()),
        appended={one.row.service: one.row.last_at for one in activities.values()},
        now=gateway.clock(),
        queued=gateway.nodes.queued(found.key),
        replaced=None if environments is None else await _replaced(gateway, environments.row, known, found),
        taken_back=taken_back(None if environments is None else environments.row, known, DeploymentId(found.key)),
        shares=tuple(shares_of(None if environments is None else environments.row, known, DeploymentId(found.key))),
        held_back=None if environment is None else held_back(environment, known, DeploymentId(found.key), found.row),
    )
    return explain(found.row, bearings)


async def _replaced(
    gateway: Gateway, environments: Environments, routes: Routes | None, found: Versioned[Deployment]
) -> Replaced | None:
    project = await gateway.rows.get(PROJECTS, found.row.project)
    if project is None or not found.row.was_live:
        return None
    retired = await gateway.rows.get(RELEASES, found.row.project)
    releases = Releases() if retired is None else retired.row
    return replaced(project.row.slug, environments, routes, Candidate(DeploymentId(found.key), found.row), releases)
