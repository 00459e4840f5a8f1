"""The row of a deployment: which of its containers are probed, how, and what is believed of them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.config import Liveness, Probe, WatchWindow
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

_ENDED_BY_ITSELF = frozenset({"exited", "out-of-memory", ContainerStopped.LOOPING})
_ENDS_KEPT = 3
"""As many as have to be known of a container to say that it ends again and again."""
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
    the last event about its health since then, 0 where there is none. One that is `looping` is judged
    once: whether it answers changes with each of its lives, which is no news. `code` says what is wrong with
    one that is unhealthy.
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
    code: str | None = None


class End(BaseModel):
    """A container ended by itself."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    exit_code: int | None
    out_of_memory: bool


class Deployment(BaseModel):
    """`watched` says whether some container of it is probed, so that those few are found among all.

    `replaced` are the looping containers that were stopped, for a fresh one under the same name. `ends` are the last
    ends of each container by itself. Since `none_healthy_since` none of them is healthy, or some one has been all the
    time since `healthy_since`.
    """

    model_config = ConfigDict(frozen=True)

    phase: Phase
    probe: Probe
    health_s: int
    liveness: Liveness = Liveness()
    watch: WatchWindow = WatchWindow()
    containers: tuple[Container, ...] = ()
    replaced: tuple[str, ...] = ()
    watched: bool = False
    ends: Mapping[str, tuple[End, ...]] = {}
    none_healthy_since: datetime | None = None
    healthy_since: datetime | None = None

    def container(self, name: str) -> Container | None:
        return next((container for container in self.containers if container.name == name), None)

    @property
    def probed(self) -> tuple[Container, ...]:
        """The containers that are probed: those that run, unless the deployment ended without becoming live."""
        return (
            () if self.phase in _GIVEN_UP else tuple(one for one in self.containers if one.health is not Health.PAUSED)
        )

    @property
    def heeded(self) -> tuple[Container, ...]:
        """Those of them whose answers are news. The others' count for the uptime alone."""
        return tuple(one for one in self.probed if not (one.looping and one.judged))


def evolve(row: Deployment | None, recorded: Recorded[Event]) -> Deployment | None:
    """Fold one event into the row."""
    event = recorded.event
    if isinstance(event, DeploymentRequested):
        phase = transition(None, DeploymentRequested)
        config = event.config
        return Deployment(
            phase=phase,
            probe=config.probe,
            health_s=config.deadlines.health_s,
            liveness=config.liveness,
            watch=config.watch,
        )
    if row is None:
        return None
    changed = row.model_copy(
        update={
            "phase": transition(row.phase, type(event)),
            "containers": _containers(row, recorded),
            "replaced": _replaced(row, event),
            "ends": _ends(row, recorded),
        }
    )
    return changed.model_copy(update={"watched": bool(changed.probed), **_since(changed, recorded.metadata.time)})


def _since(row: Deployment, now: datetime) -> Mapping[str, datetime | None]:
    if any(one.health is Health.HEALTHY and not one.looping for one in row.containers):
        return {"none_healthy_since": None, "healthy_since": row.healthy_since or now}
    return {"none_healthy_since": row.none_healthy_since or now, "healthy_since": None}


def _ends(row: Deployment, recorded: Recorded[Event]) -> Mapping[str, tuple[End, ...]]:
    """Return the last ends: a loop, of which not each end is told, is as many as are kept."""
    event = recorded.event
    if isinstance(event, ContainerStopped) and event.why in _ENDED_BY_ITSELF:
        new = 1
    elif isinstance(event, ContainerLooping):
        new = _ENDS_KEPT
    else:
        return row.ends
    end = End(at=recorded.metadata.time, exit_code=event.exit_code, out_of_memory=event.out_of_memory)
    return {**row.ends, event.container: (*row.ends.get(event.container, ()), *[end] * new)[-_ENDS_KEPT:]}


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
            return _changed(row, event.container, {"judged": sequence, **_judgement(event)})
        case _:
            return row.containers


def _judgement(event: Healthy | Unhealthy) -> dict[str, object]:
    if isinstance(event, Healthy):
        return {"health": Health.HEALTHY, "code": None}
    return {"health": Health.UNHEALTHY, "code": event.code}


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
