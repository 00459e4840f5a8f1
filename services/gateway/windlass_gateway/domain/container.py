"""What the gateway knows of a deployment's containers: how each stands, and whether it ends again and again."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import (
    ContainerLooping,
    ContainerPaused,
    ContainerResumed,
    ContainerStarted,
    ContainerStopped,
    Healthy,
    Unhealthy,
)


class ContainerState(StrEnum):
    """What the log says of a container."""

    STARTED = "started"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    PAUSED = "paused"
    STOPPED = "stopped"
    LOOPING = "looping"


class Container(BaseModel):
    """`exits` is how often in a row it ended soon after its start, as far as that was told, and `looping_since` when.

    Both are there while it loops: also while a fresh container takes its place.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    node: str = ""
    state: ContainerState
    exit_code: int | None = None
    out_of_memory: bool = False
    exits: int = 0
    looping_since: datetime | None = None


ContainerEvent = (
    ContainerStarted | ContainerResumed | ContainerPaused | ContainerStopped | ContainerLooping | Healthy | Unhealthy
)

# By their types: half of all events are these, and to ask a model whether it is of another class takes long.
STATE_AFTER: Mapping[type[Event], ContainerState] = {
    ContainerStarted: ContainerState.STARTED,
    ContainerResumed: ContainerState.STARTED,
    ContainerPaused: ContainerState.PAUSED,
    ContainerStopped: ContainerState.STOPPED,
    Healthy: ContainerState.HEALTHY,
    Unhealthy: ContainerState.UNHEALTHY,
    ContainerLooping: ContainerState.LOOPING,
}


def containers_after(
    known: tuple[Container, ...], event: ContainerEvent, state: ContainerState, recorded: Recorded[Event]
) -> tuple[Container, ...]:
    """Return the containers after an event about one of them, which `STATE_AFTER` has a state for."""
    unknown = Container(name=event.container, state=ContainerState.STOPPED)
    before = next((one for one in known if one.name == event.container), unknown)
    node = before.node if isinstance(event, Healthy | Unhealthy) else event.node
    after = _looping(before, event, recorded.metadata.time) if before.exits or type(event) is ContainerLooping else None
    if after is None:
        after = Container(name=event.container, state=state)
        if isinstance(event, ContainerStopped):
            after = after.model_copy(update={"exit_code": event.exit_code, "out_of_memory": event.out_of_memory})
    return (*(one for one in known if one.name != event.container), after.model_copy(update={"node": node}))


def _looping(before: Container, event: ContainerEvent, time: datetime) -> Container | None:
    """Return what is known of a container that loops; None where it does so no more.

    It does until it is said to have started once more, or to have stopped for another reason: whether it answers
    changes with each of its lives.
    """
    match event:
        case ContainerLooping(exits=exits, exit_code=code, out_of_memory=oom):
            told = {"exits": exits, "exit_code": code, "out_of_memory": oom}
            since = before.looping_since or time
            return before.model_copy(update={"state": ContainerState.LOOPING, "looping_since": since, **told})
        case ContainerStopped(why=ContainerStopped.LOOPING):
            return before.model_copy(update={"state": ContainerState.STOPPED})
        case ContainerStopped():
            return None
        case ContainerStarted() if before.state is not ContainerState.STOPPED:
            return None
        case _:
            return before.model_copy(update={"state": ContainerState.LOOPING})
