"""Which events wake up what."""

from collections.abc import Sequence

from windlass_contracts.events import (
    AliasesChanged,
    ContainerStarted,
    ContainerStopped,
    CutoverStarted,
    Healthy,
    PromotionRequested,
    RollbackRequested,
)
from windlass_eventlog.reactor import Reactor
from windlass_router.application.cutovers import Cutovers
from windlass_router.application.returns import Returns
from windlass_router.application.serving import Serving


def reactors_of(cutovers: Cutovers, returns: Returns, serving: Serving) -> Sequence[Reactor]:
    """Return the router's reactors."""
    return [
        Reactor("cut-over", frozenset({Healthy, CutoverStarted}), cutovers.handle),
        Reactor("return", frozenset({RollbackRequested, PromotionRequested, AliasesChanged, Healthy}), returns.handle),
        Reactor("serve", frozenset({Healthy, ContainerStarted, ContainerStopped}), serving.handle),
    ]
