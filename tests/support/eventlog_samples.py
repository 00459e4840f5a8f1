"""Small events about made-up deployments and projects, for whoever tests the event log."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Metadata, Proposed, Recorded
from windlass_contracts.config import DeploymentConfig
from windlass_contracts.event import Event
from windlass_contracts.events import DeploymentCanceled, DeploymentSuperseded, ProjectCreated
from windlass_contracts.ids import DeploymentId, EventId, ProjectId, TeamId
from windlass_contracts.subjects import Aggregate, AggregateKey, Service
from windlass_eventlog.projection import Projection, aggregate_key

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PATIENT = timedelta(seconds=60)
"""For rows that are there at once where nobody else keeps the machine busy."""


def deployment_key(team: TeamId | None = None) -> AggregateKey:
    """Return the key of a deployment that nobody knows yet."""
    return AggregateKey.of_deployment(team or TeamId(uuid4()), ProjectId(uuid4()), DeploymentId(uuid4()))


def canceled(
    key: AggregateKey, *, by: Service = Service.GATEWAY, identity: UUID | None = None
) -> Proposed[DeploymentCanceled]:
    return Proposed(by, key, DeploymentCanceled(), _metadata(by, identity))


def superseded(key: AggregateKey) -> Proposed[DeploymentSuperseded]:
    event = DeploymentSuperseded(by=DeploymentId(uuid4()))
    return Proposed(Service.ROUTER, key, event, _metadata(Service.ROUTER, None))


def project_created(slug: str) -> Proposed[ProjectCreated]:
    """Return the creation of a project by a team of its own."""
    project = ProjectId(uuid4())
    key = AggregateKey.of_project(TeamId(uuid4()), project, Aggregate.PROJECT)
    event = ProjectCreated(slug=slug, name=slug, config=DeploymentConfig())
    return Proposed(Service.GATEWAY, key, event, _metadata(Service.GATEWAY, None))


def _metadata(by: Service, identity: UUID | None) -> Metadata:
    event_id = EventId(identity or uuid4())
    return Metadata(event_id, NOON, f"service:{by}", correlation=event_id)


class Tally(BaseModel):
    """How often a deployment was written about, and since when; `open` until it was superseded."""

    model_config = ConfigDict(frozen=True)

    team: UUID
    count: int
    open: bool
    born: int = 0
    remark: str | None = None
    text: str = "\x00 is a character as well"


def evolve_tally(row: Tally | None, recorded: Recorded[Event]) -> Tally | None:
    """Count; forget the row at every fourth event, so that rows go and come back."""
    count = 1 if row is None else row.count + 1
    if count == 4:
        return None
    superseding = isinstance(recorded.event, DeploymentSuperseded)
    remark = "superseded" if superseding else None
    born = recorded.sequence if row is None else row.born
    return Tally(team=recorded.team, count=count, open=not superseding, born=born, remark=remark)


TALLIES = Projection(
    name="tallies",
    version=1,
    row=Tally,
    key=aggregate_key(Aggregate.DEPLOYMENT),
    evolve=evolve_tally,
    indexes=("team", "open", "remark", "count"),
    ordered=("born",),
)


class LastWriter(BaseModel):
    """Who wrote last to anything of a team, but never the router: its events touch the row and leave it as it is."""

    model_config = ConfigDict(frozen=True)

    service: Service


def evolve_last_writer(row: LastWriter | None, recorded: Recorded[Event]) -> LastWriter | None:
    return row if recorded.service is Service.ROUTER else LastWriter(service=recorded.service)


LAST_WRITERS = Projection(
    name="last_writers", version=1, row=LastWriter, key=lambda recorded: recorded.team, evolve=evolve_last_writer
)
