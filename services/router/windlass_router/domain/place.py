"""What the router knows of a project by name: its slug, and its environments'."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import EnvironmentCreated, ProjectCreated
from windlass_contracts.ids import EnvironmentId, ProjectId, TeamId


class Environment(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str
    production: bool


class Place(BaseModel):
    """The row of a project's names."""

    model_config = ConfigDict(frozen=True)

    team: TeamId
    project: ProjectId
    slug: str | None = None
    environments: Mapping[EnvironmentId, Environment] = {}

    def is_production(self, environment: EnvironmentId) -> bool:
        named = self.environments.get(environment)
        return named is not None and named.production


def evolve(row: Place | None, recorded: Recorded[Event]) -> Place | None:
    """Fold one event into the row."""
    match recorded.event:
        case ProjectCreated(slug=slug):
            row = row or Place(team=recorded.team, project=recorded.project)
            return row.model_copy(update={"slug": slug})
        case EnvironmentCreated(environment=environment, name=name, production=production):
            row = row or Place(team=recorded.team, project=recorded.project)
            named = Environment(name=name, production=production)
            return row.model_copy(update={"environments": {**row.environments, environment: named}})
        case _:
            return row
