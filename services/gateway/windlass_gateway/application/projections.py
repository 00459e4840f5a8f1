"""The gateway's projections, by what they are folded from."""

from functools import cache
from uuid import UUID

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event, published_events
from windlass_contracts.events import ApiTokenCreated, ApiTokenRevoked
from windlass_contracts.ids import derived
from windlass_contracts.subjects import Aggregate, Service
from windlass_eventlog.dead_letters.letter import DEAD_LETTERS
from windlass_eventlog.projection import ByType, Projection, aggregate_key
from windlass_gateway.domain import (
    activity,
    credentials,
    deployment,
    domains,
    environments,
    inspection,
    project,
    releases,
    routes,
    run,
    stored,
    tokens,
    variables,
)
from windlass_gateway.domain.activity import Activity
from windlass_gateway.domain.credentials import Credentials
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.domains import DOMAIN_REGISTRY_KEY, DomainRegistry
from windlass_gateway.domain.environments import Environments
from windlass_gateway.domain.inspection import Inspection
from windlass_gateway.domain.project import REGISTRY, Project, Registry
from windlass_gateway.domain.releases import Releases
from windlass_gateway.domain.routes import Routes
from windlass_gateway.domain.run import Run
from windlass_gateway.domain.stored import NamedNote, NamedSecret
from windlass_gateway.domain.tokens import ApiToken, TokenNames
from windlass_gateway.domain.variables import Variables


def _registry_key(_: Recorded[Event]) -> UUID:
    return REGISTRY


def _domain_registry_key(_: Recorded[Event]) -> UUID:
    return DOMAIN_REGISTRY_KEY


def _about(aggregate: Aggregate) -> frozenset[type[Event]]:
    return frozenset(kind for kind in published_events().values() if kind.AGGREGATE is aggregate)


def _service_key(recorded: Recorded[Event]) -> UUID:
    return activity_key(recorded.service)


def _token_key(recorded: Recorded[Event]) -> UUID | None:
    event = recorded.event
    return event.token if isinstance(event, ApiTokenCreated | ApiTokenRevoked) else None


@cache  # a name-based UUID takes longer than reading a small event, and every event asks for one
def activity_key(service: Service) -> UUID:
    """Return the key of the row of a service."""
    return derived("activity", service)


PROJECTS = Projection(
    name="projects",
    version=2,
    row=Project,
    key=aggregate_key(Aggregate.PROJECT),
    evolve=project.evolve,
    indexes=("team", "place"),
)
REGISTRIES = Projection(
    name="registry",
    version=1,
    row=Registry,
    key=ByType(_about(Aggregate.PROJECT), _registry_key),
    evolve=project.evolve_registry,
)
ENVIRONMENTS = Projection(
    name="environments",
    version=1,
    row=Environments,
    key=aggregate_key(Aggregate.ENVIRONMENTS),
    evolve=environments.evolve,
)
VARIABLES = Projection(
    name="variables", version=1, row=Variables, key=aggregate_key(Aggregate.VARIABLES), evolve=variables.evolve
)
CREDENTIALS = Projection(
    name="credentials",
    version=1,
    row=Credentials,
    key=aggregate_key(Aggregate.CREDENTIALS),
    evolve=credentials.evolve,
)
DOMAINS = Projection(
    name="domains",
    version=1,
    row=DomainRegistry,
    key=ByType(_about(Aggregate.DOMAINS), _domain_registry_key),
    evolve=domains.evolve,
)
DEPLOYMENTS = Projection(
    name="deployments",
    version=8,
    row=Deployment,
    key=aggregate_key(Aggregate.DEPLOYMENT),
    evolve=deployment.evolve,
    indexes=("team", "project", "environment", "prefix", "ended", "restarting", "phase", "branch"),
    ordered=("requested_sequence",),
)
ROUTES = Projection(
    name="routes",
    version=5,
    row=Routes,
    key=aggregate_key(Aggregate.ROUTES),
    evolve=routes.evolve,
    indexes=("awaiting",),
)
RELEASES = Projection(
    name="releases", version=1, row=Releases, key=aggregate_key(Aggregate.RELEASES), evolve=releases.evolve
)
INSPECTIONS = Projection(
    name="inspections", version=1, row=Inspection, key=aggregate_key(Aggregate.INSPECTION), evolve=inspection.evolve
)
RUNS = Projection(name="runs", version=2, row=Run, key=aggregate_key(Aggregate.RUN), evolve=run.evolve)
API_TOKENS = Projection(
    name="api_tokens",
    version=1,
    row=ApiToken,
    key=ByType(frozenset({ApiTokenCreated, ApiTokenRevoked}), _token_key),
    evolve=tokens.evolve,
    indexes=("digest", "team"),
)
TOKEN_NAMES = Projection(
    name="token_names", version=1, row=TokenNames, key=aggregate_key(Aggregate.TOKENS), evolve=tokens.evolve_names
)
ACTIVITIES = Projection(name="activities", version=1, row=Activity, key=_service_key, evolve=activity.evolve)
SECRETS = Projection(
    name="secrets",
    version=2,
    row=NamedSecret,
    key=ByType(stored.naming_secrets(), stored.secret_of),
    evolve=stored.evolve_secret,
    indexes=("project", "name"),
)
NOTES = Projection(
    name="notes",
    version=1,
    row=NamedNote,
    key=ByType(stored.naming_notes(), stored.note_of),
    evolve=stored.evolve_note,
)

ALL = (
    PROJECTS,
    REGISTRIES,
    ENVIRONMENTS,
    VARIABLES,
    CREDENTIALS,
    DOMAINS,
    DEPLOYMENTS,
    ROUTES,
    RELEASES,
    INSPECTIONS,
    RUNS,
    API_TOKENS,
    TOKEN_NAMES,
    ACTIVITIES,
    SECRETS,
    NOTES,
    DEAD_LETTERS,
)
