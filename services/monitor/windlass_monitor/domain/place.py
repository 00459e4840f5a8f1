"""What the monitor knows of a project's environments: which of them serve everybody."""

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import EnvironmentCreated
from windlass_contracts.ids import EnvironmentId


class Place(BaseModel):
    """The row of a project's environments."""

    model_config = ConfigDict(frozen=True)

    production: tuple[EnvironmentId, ...] = ()


def evolve(row: Place | None, recorded: Recorded[Event]) -> Place | None:
    """Fold one event into the row."""
    event = recorded.event
    if not isinstance(event, EnvironmentCreated):
        return row
    known = () if row is None else row.production
    return Place(production=(*known, event.environment) if event.production else known)
