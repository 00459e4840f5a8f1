"""What the gateway knows of the services themselves: what each appended last, and when."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.subjects import Service


class Activity(BaseModel):
    """The row of a service."""

    model_config = ConfigDict(frozen=True)

    service: Service
    last_type: str
    last_at: datetime


def evolve(row: Activity | None, recorded: Recorded[Event]) -> Activity:
    """Fold one event of the service into the row."""
    del row  # only the latest event counts
    return Activity(service=recorded.service, last_type=recorded.event.TYPE, last_at=recorded.metadata.time)
