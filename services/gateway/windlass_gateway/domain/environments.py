"""What the gateway knows of a project's environments."""

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import EnvironmentConfigured, EnvironmentCreated
from windlass_contracts.ids import EnvironmentId
from windlass_contracts.values import EnvironmentName
from windlass_gateway.domain.refusals import InvalidInputError

PRODUCTION = "production"
"""The environment that every project has; it answers at the project's own address."""

_NAME: TypeAdapter[str] = TypeAdapter(EnvironmentName)
_SHOWN = 40


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


def checked_name(name: str) -> str:
    """Return the name if a new environment may have it.

    Raises:
        InvalidInputError: it is no name.
    """
    try:
        return _NAME.validate_python(name)
    except ValidationError as error:
        raise InvalidInputError(
            f"{name[:_SHOWN]!r} is no name for an environment.",
            field="environment",
            next_step="A name has lower-case letters, digits and single dashes, like staging or preview-7.",
        ) from error


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
