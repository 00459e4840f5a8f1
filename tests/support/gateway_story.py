"""A deployment's story told event by event, folded into the rows that the gateway decides from."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from windlass_contracts.cloudevent import Metadata, Recorded
from windlass_contracts.config import DeploymentConfig, Limits
from windlass_contracts.event import Event
from windlass_contracts.events import (
    BuildStarted,
    BuildSucceeded,
    ContainerStarted,
    CutoverStarted,
    DeploymentLive,
    DeploymentRequested,
    Healthy,
)
from windlass_contracts.events.deployment import GitSource, Recipe
from windlass_contracts.ids import DeploymentId, EnvironmentId, EventId, ProjectId, TeamId, derived
from windlass_contracts.subjects import AggregateKey
from windlass_gateway.domain import deployment, routes
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.routes import Routes

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEAM = TeamId(UUID(int=1))
PROJECT = ProjectId(UUID(int=2))
PRODUCTION = EnvironmentId(UUID(int=3))
STAGING = EnvironmentId(UUID(int=4))
REPOSITORY = "https://git.example/owner/shop"
COMMIT = "a" * 40
RELEASE = "windlass-0a1b2c3d-release:abc"
T = TypeVar("T")


def deployment_number(number: int) -> DeploymentId:
    return DeploymentId(UUID(int=100 + number))


def recorded(
    event: Event, sequence: int = 1, *, identity: UUID = PROJECT, at: datetime | None = None, of: EventId | None = None
) -> Recorded[Event]:
    """Return the event as it stands in the log; each sequence is one second later than the one before."""
    key = AggregateKey(TEAM, PROJECT, event.AGGREGATE, identity)
    event_id = of or EventId(derived("test", str(sequence)))
    time = at or NOON + timedelta(seconds=sequence)
    metadata = Metadata(event_id, time, "token:test", correlation=event_id)
    (service, *_) = sorted(event.APPENDED_BY)
    return Recorded(sequence, "0a1b2c3d", service, key, event, metadata)


def routes_after(*events: Event) -> Routes:
    row: Routes | None = None
    for sequence, event in enumerate(events, start=1):
        row = routes.evolve(row, recorded(event, sequence))
    assert row is not None
    return row


def way_to_live(environment: EnvironmentId = PRODUCTION, config: DeploymentConfig | None = None) -> list[Event]:
    """Return the events of a deployment that becomes live, one for each phase."""
    return [
        DeploymentRequested(
            environment=environment,
            source=GitSource(repository=REPOSITORY, ref="main"),
            trigger="api",
            config=config or DeploymentConfig(),
        ),
        BuildStarted(node="here", attempt=1, commit=COMMIT),
        BuildSucceeded(
            node="here",
            release=RELEASE,
            digest="sha256:" + "0" * 64,
            recipe=Recipe(runner="python", start_command="python3 server.py"),
            cache_hit=False,
            duration_ms=900,
        ),
        ContainerStarted(
            node="here",
            container="run-1",
            replica=0,
            address="10.0.0.2",
            port=8000,
            limits=Limits(),
            runtime="docker",
            duration_ms=200,
        ),
        Healthy(container="run-1", probe="http", status=200, tries=1, duration_ms=3),
        CutoverStarted(containers=("run-1",)),
        DeploymentLive(generation=7, duration_ms=4_000),
    ]


def deployment_after(events: Iterable[Event], *, first: int = 1, identity: UUID | None = None) -> Deployment:
    """Return the row after the events, numbered from `first`."""
    row: Deployment | None = None
    for sequence, event in enumerate(events, start=first):
        row = deployment.evolve(row, recorded(event, sequence, identity=identity or deployment_number(1)))
    assert row is not None
    return row
