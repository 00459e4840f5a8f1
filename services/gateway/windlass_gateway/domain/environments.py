"""What the gateway knows of a project's environments."""

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import EnvironmentConfigured, EnvironmentCreated
from windlass_contracts.ids import EnvironmentId

PRODUCTION = "production"
"""The environment that every project has; it answers at the project's own address."""


class Environment(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: EnvironmentId
    name: str
    production: bool
    branches: tuple[str, ...] = ()


class Environments(BaseModel):
    """The row of a project's environments."""

    model_config = ConfigDict(frozen=True)

    all: tuple[Environment, ...] = ()

    def named(self, name: str) -> Environment | None:
        return next((environment for environment in self.all if environment.name == name), None)

    def by_id(self, identity: EnvironmentId) -> Environment | None:
        return next((environment for environment in self.all if environment.id == identity), None)


def evolve(row: Environments | None, recorded: Recorded[Event]) -> Environments | None:
    """Fold one event into the row."""
    row = row or Environments()
    match recorded.event:
        case EnvironmentCreated(environment=identity, name=name, production=production, branches=branches):
            created = Environment(id=identity, name=name, production=production, branches=branches)
            return Environments(all=(*row.all, created))
        case EnvironmentConfigured(environment=identity, branches=branches):
            changed = (one.model_copy(update={"branches": branches}) if one.id == identity else one for one in row.all)
            return Environments(all=tuple(changed))
        case _:
            return row
