"""What the gateway knows of a project's variables: names and secret ids, never values."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import VariableRemoved, VariableSet
from windlass_contracts.events.deployment import VariableVersion
from windlass_contracts.ids import EnvironmentId, SecretId
from windlass_gateway.domain.refusals import InvalidInputError, VariableNotFoundError

MAX_VARIABLES = 300
"""How many variables one deployment may carry: their names all go into its event."""

MAX_VALUE_BYTES = 64 * 1024


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


def decide_settings(
    row: Variables, secrets: Mapping[str, SecretId], environment: EnvironmentId | None
) -> tuple[VariableSet, ...]:
    """Return the events that set variables to values in the vault, by name; those that are set so already are left out.

    Raises:
        InvalidInputError: there would be too many.
    """
    together = {one.name for one in row.all if one.environment == environment} | secrets.keys()
    if len(together) > MAX_VARIABLES:
        raise InvalidInputError(
            f"There would be {len(together)} variables; {MAX_VARIABLES} is the limit.",
            field="variables",
            next_step="Remove some with `windlass env unset`, or keep them in one variable, as JSON.",
        )
    wanted = (VariableSet(name=name, environment=environment, secret=secrets[name]) for name in sorted(secrets))
    return tuple(event for event in wanted if not _is_set(row, event))


def _is_set(row: Variables, event: VariableSet) -> bool:
    known = row.find(event.name, event.environment)
    return known is not None and known.secret == event.secret


@dataclass(frozen=True, slots=True)
class Preview:
    """What setting variables would do. Whether a value is another one than before is not known: values go in only."""

    added: tuple[str, ...]
    replaced: tuple[str, ...]
    kept: tuple[str, ...]
    """Set there, and not mentioned: setting removes nothing."""


def preview(row: Variables, names: Collection[str], environment: EnvironmentId | None) -> Preview:
    """Say what setting the variables of these names would do."""
    known = {one.name for one in row.all if one.environment == environment}
    return Preview(
        added=tuple(sorted(set(names) - known)),
        replaced=tuple(sorted(known & set(names))),
        kept=tuple(sorted(known - set(names))),
    )
