"""Which containers of a deployment take requests, and which are surplus: one rule for whoever folds containers.

Surplus are the containers of replicas beyond the wanted number, those whose replica has a younger healthy container,
and, where no restart is under way, those that were to take the place of an older one and are not healthy. The router
leaves them out, and the builder stops them once the proxies confirmed that. Requests always have somewhere to go: as
long as too few of the others are healthy, healthy ones of the replicas beyond the number serve in their place.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import (
    ContainerLooping,
    ContainerPaused,
    ContainerResumed,
    ContainerStarted,
    ContainerStopped,
    DeploymentScaled,
    Healthy,
    RestartFailed,
    RestartRequested,
    RestartSucceeded,
    Unhealthy,
)
from windlass_contracts.ids import EventId

R = TypeVar("R", bound="ReplicaSet")

_MEANING: Mapping[type[Event], Mapping[str, bool]] = {
    ContainerPaused: {"running": False, "healthy": False, "present": True},
    ContainerStopped: {"running": False, "healthy": False, "present": False},
    ContainerResumed: {"running": True, "present": True},
    Healthy: {"healthy": True, "proven": True},
    Unhealthy: {"healthy": False},
    ContainerLooping: {"healthy": False},
}


class Replica(BaseModel):
    """A container of a deployment. `number` says which of the deployment's replicas it is, counted from 0.

    `life` counts the containers that the replica has had, from 1; of two the one with the higher is the younger, and
    `began` is the sequence at which it was started first. It is `present` until it is stopped. `proven` says that it
    was seen healthy at its address, `healthy` that it is now. `spare_since` is the sequence since which it gets no
    requests because it is surplus.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    life: int
    began: int
    address: str
    port: int
    running: bool = True
    present: bool = True
    proven: bool = False
    healthy: bool = False
    spare_since: int | None = None

    @property
    def answers(self) -> bool:
        """Whether it answers its probe now."""
        return self.running and self.healthy


Siblings = tuple[tuple[str, Replica], ...]
"""The containers of one replica, the youngest last."""


class ReplicaSet(BaseModel):
    """The containers of a deployment by their names, how many are wanted, and the restarts that have no answer yet.

    Of the stopped ones of a replica only the last is kept, and the one that counts where none is there.
    """

    model_config = ConfigDict(frozen=True)

    wanted: int
    containers: Mapping[str, Replica] = {}
    restarts: tuple[EventId, ...] = ()

    @property
    def serving(self) -> tuple[str, ...]:
        """The containers that requests go to, in a stable order."""
        return tuple(sorted(_serving(self.wanted, self.containers, _surplus(self))))

    @property
    def healthy(self) -> tuple[str, ...]:
        """Those of the containers that requests go to which answer their probe now, in a stable order."""
        return tuple(name for name in self.serving if self.containers[name].answers)

    @property
    def spare(self) -> Mapping[str, int]:
        """The containers that exist and get no requests because they are surplus, and since which sequence."""
        return {
            name: one.spare_since
            for name, one in self.containers.items()
            if one.present and one.spare_since is not None
        }

    @property
    def missing(self) -> tuple[int, ...]:
        """The numbers of the wanted replicas of which no container runs."""
        running = {one.number for one in self.containers.values() if one.running}
        return tuple(number for number in range(self.wanted) if number not in running)

    def of_number(self, number: int) -> Siblings:
        """Return the containers of a replica, the youngest last."""
        found = ((name, one) for name, one in self.containers.items() if one.number == number)
        return tuple(sorted(found, key=lambda named: named[1].life))

    def life_of(self, number: int) -> int:
        """Return which life of a replica counts: one that runs, or at least is there, healthy or proven if possible."""
        lives = (one for _, one in self.of_number(number))
        return max(lives, key=_preference, default=_FIRST).life

    def last_life_of(self, number: int) -> int:
        """Return how many containers a replica has had."""
        return max((one.life for _, one in self.of_number(number)), default=0)

    def divided(self, number: int, at: int) -> tuple[Siblings, Siblings]:
        """Return a replica's containers from before a sequence, and those that were started in their place since."""
        siblings = self.of_number(number)
        old = tuple((name, one) for name, one in siblings if one.began < at)
        fresh = tuple((name, one) for name, one in siblings if one.began > at and one.life > 1)
        return old, fresh

    def renewed(self, at: int) -> int:
        """Return how many wanted replicas have a fresh container in the place of what they had at a sequence."""
        divided = (self.divided(number, at) for number in range(self.wanted))
        return sum(
            any(one.proven for _, one in fresh) and not any(one.present for _, one in old) for old, fresh in divided
        )

    def after(self, recorded: Recorded[Event]) -> Self:
        """Return the set after an event of its deployment."""
        changes = self._changes(recorded)
        return _settled(self.model_copy(update=changes), recorded.sequence) if changes else self

    def _changes(self, recorded: Recorded[Event]) -> dict[str, Any]:
        match recorded.event:
            case ContainerStarted() as started:
                return self._with(started.container, self._started(started, recorded.sequence))
            case DeploymentScaled(replicas=replicas):
                return {"wanted": replicas}
            case RestartRequested():
                return {"restarts": (*self.restarts, recorded.metadata.id)}
            case RestartSucceeded(request=request) | RestartFailed(request=request):
                return {"restarts": tuple(one for one in self.restarts if one != request)}
            case event if type(event) in _MEANING:
                name = getattr(event, "container", "")
                known = self.containers.get(name)
                return {} if known is None else self._with(name, known.model_copy(update=_MEANING[type(event)]))
            case _:
                return {}

    def _with(self, name: str, replica: Replica) -> dict[str, Any]:
        return {"containers": {**self.containers, name: replica}}

    def _started(self, event: ContainerStarted, sequence: int) -> Replica:
        """Return a container that runs from now on; one that was restarted where it was remains proven."""
        known = self.containers.get(event.container)
        return Replica(
            number=event.replica,
            life=self.last_life_of(event.replica) + 1 if known is None else known.life,
            began=sequence if known is None else known.began,
            address=event.address,
            port=event.port,
            proven=known is not None and known.proven and (known.address, known.port) == (event.address, event.port),
            spare_since=None if known is None else known.spare_since,
        )


_FIRST = Replica(number=0, life=1, began=0, address="", port=0)


def _settled(replicas: R, sequence: int) -> R:
    """Forget who is gone and has a successor, and note who is surplus from this sequence on."""
    needed = {name for _, siblings in _families(replicas.containers) for name in _needed(siblings)}
    kept = {name: one for name, one in replicas.containers.items() if one.present or name in needed}
    settled = replicas.model_copy(update={"containers": kept})
    surplus = _surplus(settled)
    spare = surplus - set(_serving(settled.wanted, kept, surplus))
    noted = {name: _noted(one, sequence if name in spare else None) for name, one in kept.items()}
    return settled.model_copy(update={"containers": noted})


def _needed(siblings: Iterable[tuple[str, Replica]]) -> tuple[str, str]:
    """Return which of a replica's containers counts, also where none is there, and the last one."""
    counting = max(siblings, key=lambda named: _preference(named[1]))
    return counting[0], max(siblings, key=lambda named: named[1].life)[0]


def _preference(one: Replica) -> tuple[bool, bool, bool, bool, int]:
    return (one.running, one.present, one.healthy, one.proven, one.life)


def _noted(one: Replica, since: int | None) -> Replica:
    if (one.spare_since is None) == (since is None):
        return one
    return one.model_copy(update={"spare_since": since})


def _surplus(replicas: ReplicaSet) -> set[str]:
    """Return the names of all containers that are surplus, whether they have to serve or not."""
    found = {name for name, one in replicas.containers.items() if one.number >= replicas.wanted}
    for _, siblings in _families(replicas.containers):
        if len(siblings) > 1:
            found |= _outlived(siblings)
            found |= set() if replicas.restarts else _in_vain(siblings)
    return found


def _families(containers: Mapping[str, Replica]) -> Iterable[tuple[int, list[tuple[str, Replica]]]]:
    """Return each replica's number with its containers."""
    found: dict[int, list[tuple[str, Replica]]] = {}
    for name, one in containers.items():
        found.setdefault(one.number, []).append((name, one))
    return found.items()


def _outlived(siblings: Iterable[tuple[str, Replica]]) -> set[str]:
    """Return those that have a younger healthy sibling."""
    youngest = max((one.life for _, one in siblings if one.answers), default=0)
    return {name for name, one in siblings if one.life < youngest}


def _in_vain(siblings: Iterable[tuple[str, Replica]]) -> set[str]:
    """Return those that were to take the place of one that runs, and are not healthy."""
    oldest = min((one.life for _, one in siblings if one.running), default=None)
    return {name for name, one in siblings if oldest is not None and one.life > oldest and not one.healthy}


def _serving(wanted: int, containers: Mapping[str, Replica], surplus: set[str]) -> list[str]:
    healthy = [name for name, one in containers.items() if one.answers and name not in surplus]
    healthy += _beyond(wanted, containers)[: max(0, wanted - len(healthy))]
    proven = [name for name, one in containers.items() if one.running and one.proven]
    return healthy or [name for name in proven if name not in surplus] or proven


def _beyond(wanted: int, containers: Mapping[str, Replica]) -> list[str]:
    """Return the youngest healthy container of each replica beyond the number, the lowest replica first."""
    found = ((one.number, -one.life, name) for name, one in containers.items() if one.answers and one.number >= wanted)
    firsts = dict[int, str]()
    for number, _, name in sorted(found):
        firsts.setdefault(number, name)
    return list(firsts.values())
