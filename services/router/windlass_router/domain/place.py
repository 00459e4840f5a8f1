"""What the router knows of a project by name: its slug, its environments', and the domains that somebody brought."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import DomainAssigned, DomainRemoved, EnvironmentCreated, ProjectCreated
from windlass_contracts.ids import EnvironmentId, ProjectId, TeamId


class Environment(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str
    production: bool


class Place(BaseModel):
    """The row of a project's names. `domains` says which environment each host of somebody's own is for."""

    model_config = ConfigDict(frozen=True)

    team: TeamId
    project: ProjectId
    slug: str | None = None
    environments: Mapping[EnvironmentId, Environment] = {}
    domains: Mapping[str, EnvironmentId] = {}

    def is_production(self, environment: EnvironmentId) -> bool:
        named = self.environments.get(environment)
        return named is not None and named.production


def evolve(row: Place | None, recorded: Recorded[Event]) -> Place | None:
    """Fold one event into the row."""
    known = row or Place(team=recorded.team, project=recorded.project)
    match recorded.event:
        case ProjectCreated(slug=slug):
            return known.model_copy(update={"slug": slug})
        case EnvironmentCreated(environment=environment, name=name, production=production):
            named = Environment(name=name, production=production)
            return known.model_copy(update={"environments": {**known.environments, environment: named}})
        case DomainAssigned(host=host, environment=environment):
            return known.model_copy(update={"domains": {**known.domains, host: environment}})
        case DomainRemoved(host=host):
            others = {one: environment for one, environment in known.domains.items() if one != host}
            return known.model_copy(update={"domains": others})
        case _:
            return row
