"""Restarts of a deployment: those that have no answer yet, and how the last one ended."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import RestartFailed, RestartRequested, RestartSucceeded
from windlass_contracts.ids import EventId


class Restart(BaseModel):
    """A restart that has no answer yet; `since` is when the last step of it was taken."""

    model_config = ConfigDict(frozen=True)

    request: EventId
    sequence: int
    by: str
    asked_at: datetime
    since: datetime


class RestartEnd(BaseModel):
    """How the last restart ended, and when; `reason` is why it failed, if it did."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    replaced: int
    code: str | None = None
    reason: str | None = None


def restarts_after(restarts: tuple[Restart, ...], recorded: Recorded[Event]) -> tuple[Restart, ...]:
    """Return the restarts without an answer after an event; each that is about containers is a step of them."""
    time = recorded.metadata.time
    match recorded.event:
        case RestartRequested():
            asked = Restart(
                request=recorded.metadata.id,
                sequence=recorded.sequence,
                by=recorded.metadata.actor,
                asked_at=time,
                since=time,
            )
            return (*restarts, asked)
        case RestartSucceeded(request=request) | RestartFailed(request=request):
            return tuple(one for one in restarts if one.request != request)
        case _:
            return tuple(one.model_copy(update={"since": time}) for one in restarts)
