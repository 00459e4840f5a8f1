"""What the gateway knows of a project's variables: names and secret ids, never values."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import VariableRemoved, VariableSet
from windlass_contracts.events.deployment import VariableVersion
from windlass_contracts.ids import EnvironmentId, SecretId
from windlass_gateway.domain.refusals import VariableNotFoundError


class Variable(BaseModel):
    """One variable; without an environment it counts in each that has none of its own by that name."""

    model_config = ConfigDict(frozen=True)

    name: str
    environment: EnvironmentId | None
    secret: SecretId
    set_at: datetime


class Variables(BaseModel):
    """The row of a project's variables."""

    model_config = ConfigDict(frozen=True)

    all: tuple[Variable, ...] = ()

    def find(self, name: str, environment: EnvironmentId | None) -> Variable | None:
        return next((one for one in self.all if (one.name, one.environment) == (name, environment)), None)

    def versions(self, environment: EnvironmentId) -> tuple[VariableVersion, ...]:
        """Return what a deployment to the environment gets: its own variables before the project's, by name."""
        everywhere = {one.name: one.secret for one in self.all if one.environment is None}
        own = {one.name: one.secret for one in self.all if one.environment == environment}
        return tuple(
            VariableVersion(name=name, secret=secret) for name, secret in sorted({**everywhere, **own}.items())
        )


def evolve(row: Variables | None, recorded: Recorded[Event]) -> Variables | None:
    """Fold one event into the row."""
    row = row or Variables()
    match recorded.event:
        case VariableSet(name=name, environment=environment, secret=secret):
            changed = Variable(name=name, environment=environment, secret=secret, set_at=recorded.metadata.time)
            return Variables(all=(*_others(row, name, environment), changed))
        case VariableRemoved(name=name, environment=environment):
            return Variables(all=_others(row, name, environment))
        case _:
            return row


def _others(row: Variables, name: str, environment: EnvironmentId | None) -> tuple[Variable, ...]:
    return tuple(one for one in row.all if (one.name, one.environment) != (name, environment))


def decide_removal(project: str, row: Variables, name: str, environment: EnvironmentId | None) -> VariableRemoved:
    """Return the event that removes a variable.

    Raises:
        VariableNotFoundError: it is not set there.
    """
    if row.find(name, environment) is None:
        raise VariableNotFoundError(project, name)
    return VariableRemoved(name=name, environment=environment)
