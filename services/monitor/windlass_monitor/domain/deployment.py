"""The row of a deployment: which of its containers are probed, how, and what is believed of them."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.config import Probe
from windlass_contracts.event import Event
from windlass_contracts.events import (
    ContainerLooping,
    ContainerPaused,
    ContainerResumed,
    ContainerStarted,
    ContainerStopped,
    DeploymentRequested,
    Healthy,
    Unhealthy,
)
from windlass_contracts.lifecycle import Phase, transition

_GIVEN_UP = frozenset({Phase.FAILED, Phase.CANCELED, Phase.SUPERSEDED})


class Health(StrEnum):
    """What is believed of a container."""

    UNPROVEN = "unproven"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    PAUSED = "paused"


class Container(BaseModel):
    """A container that exists.

    `since` is the sequence of the event that started or resumed it, at the time `running_since`; `judged` is that of
    the last event about its health since then, 0 where there is none. One that is `looping` is probed until it was
    judged once: whether it answers changes with each of its lives, which is no news.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    address: str
    port: int
    since: int
    running_since: datetime
    health: Health = Health.UNPROVEN
    judged: int = 0
    looping: bool = False


class Deployment(BaseModel):
    """`watched` says whether some container of it is probed, so that those few are found among all.

    `replaced` are the looping containers that were stopped, for a fresh one under the same name.
    """

    model_config = ConfigDict(frozen=True)

    phase: Phase
    probe: Probe
    health_s: int
    containers: tuple[Container, ...] = ()
    replaced: tuple[str, ...] = ()
    watched: bool = False

    def container(self, name: str) -> Container | None:
        return next((container for container in self.containers if container.name == name), None)

    @property
    def probed(self) -> tuple[Container, ...]:
        """The containers that are probed: those that run, unless the deployment ended without becoming live."""
        if self.phase in _GIVEN_UP:
            return ()
        return tuple(
            one for one in self.containers if one.health is not Health.PAUSED and not (one.looping and one.judged)
        )


def evolve(row: Deployment | None, recorded: Recorded[Event]) -> Deployment | None:
    """Fold one event into the row."""
    event = recorded.event
    if isinstance(event, DeploymentRequested):
        phase = transition(None, DeploymentRequested)
        return Deployment(phase=phase, probe=event.config.probe, health_s=event.config.deadlines.health_s)
    if row is None:
        return None
    changed = row.model_copy(
        update={
            "phase": transition(row.phase, type(event)),
            "containers": _containers(row, recorded),
            "replaced": _replaced(row, event),
        }
    )
    return changed.model_copy(update={"watched": bool(changed.probed)})


def _containers(row: Deployment, recorded: Recorded[Event]) -> tuple[Container, ...]:
    event, sequence = recorded.event, recorded.sequence
    match event:
        case ContainerStarted():
            started = _started(event, recorded)
            return _with(row, started.model_copy(update={"looping": event.container in row.replaced}))
        case ContainerResumed():
            resumed = {"since": sequence, "running_since": recorded.metadata.time, "judged": 0}
            return _changed(row, event.container, {**resumed, "health": Health.UNPROVEN})
        case ContainerPaused() | ContainerLooping():
            looping: dict[str, object] = {"looping": True, "judged": sequence}
            paused = isinstance(event, ContainerPaused)
            return _changed(row, event.container, {"health": Health.PAUSED} if paused else looping)
        case ContainerStopped():
            return _without(row, event.container)
        case Healthy() | Unhealthy():
            health = Health.HEALTHY if isinstance(event, Healthy) else Health.UNHEALTHY
            return _changed(row, event.container, {"health": health, "judged": sequence})
        case _:
            return row.containers


def _replaced(row: Deployment, event: Event) -> tuple[str, ...]:
    if isinstance(event, ContainerStopped) and event.why == ContainerStopped.LOOPING:
        return (*row.replaced, event.container)
    if isinstance(event, ContainerStarted | ContainerStopped):
        return tuple(name for name in row.replaced if name != event.container)
    return row.replaced


def _started(event: ContainerStarted, recorded: Recorded[Event]) -> Container:
    return Container(
        name=event.container,
        address=event.address,
        port=event.port,
        since=recorded.sequence,
        running_since=recorded.metadata.time,
    )


def _changed(row: Deployment, name: str, update: dict[str, object]) -> tuple[Container, ...]:
    known = row.container(name)
    return row.containers if known is None else _with(row, known.model_copy(update=update))


def _with(row: Deployment, container: Container) -> tuple[Container, ...]:
    return (*_without(row, container.name), container)


def _without(row: Deployment, name: str) -> tuple[Container, ...]:
    return tuple(container for container in row.containers if container.name != name)
