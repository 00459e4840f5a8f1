"""Which events wake up what."""

from collections.abc import Sequence

from windlass_contracts.event import Event
from windlass_contracts.events import (
    ContainerLooping,
    ContainerPaused,
    ContainerResumed,
    ContainerStarted,
    ContainerStopped,
    Failed,
    Healthy,
    PromotionRequested,
    RollbackRequested,
    RoutesFailed,
    Unhealthy,
)
from windlass_eventlog.reactor import Reactor
from windlass_router.application.serving import Serving
from windlass_router.application.switching import Switching

DECIDED_ON: frozenset[type[Event]] = frozenset(
    {Healthy, ContainerStopped, Failed, RollbackRequested, PromotionRequested, RoutesFailed}
)
SERVED_ON: frozenset[type[Event]] = frozenset(
    {ContainerStarted, ContainerStopped, ContainerPaused, ContainerResumed, ContainerLooping, Healthy, Unhealthy}
)


def reactors_of(switching: Switching, serving: Serving) -> Sequence[Reactor]:
    """Return the router's reactors."""
    return [Reactor("switch", DECIDED_ON, switching.handle), Reactor("serve", SERVED_ON, serving.handle)]
