"""Which events wake up what."""

from collections.abc import Sequence

from windlass_contracts.event import Event
from windlass_contracts.events import (
    AliasesChanged,
    BranchDeleted,
    ContainerLooping,
    ContainerPaused,
    ContainerResumed,
    ContainerStarted,
    ContainerStopped,
    DeploymentScaled,
    DomainAssigned,
    DomainRemoved,
    Failed,
    Healthy,
    PromotionRequested,
    RestartFailed,
    RestartRequested,
    RestartSucceeded,
    RestoreRequested,
    RollbackRequested,
    RolloutStopped,
    RoutesFailed,
    Unhealthy,
    WeightChanged,
    WeightRequested,
)
from windlass_eventlog.reactor import Reactor
from windlass_router.application.giving_up import GivingUp
from windlass_router.application.rolling_out import RollingOut
from windlass_router.application.serving import Serving
from windlass_router.application.switching import Switching

DECIDED_ON: frozenset[type[Event]] = frozenset(
    {
        Healthy,
        ContainerStopped,
        DeploymentScaled,
        Failed,
        RollbackRequested,
        PromotionRequested,
        RestoreRequested,
        WeightRequested,
        RolloutStopped,
        RoutesFailed,
        DomainAssigned,
        DomainRemoved,
    }
)
SERVED_ON: frozenset[type[Event]] = frozenset(
    {
        ContainerStarted,
        ContainerStopped,
        ContainerPaused,
        ContainerResumed,
        ContainerLooping,
        DeploymentScaled,
        Healthy,
        RestartFailed,
        RestartRequested,
        RestartSucceeded,
        Unhealthy,
    }
)


def reactors_of(
    switching: Switching, serving: Serving, giving_up: GivingUp, rolling_out: RollingOut
) -> Sequence[Reactor]:
    """Return the router's reactors."""
    return [
        Reactor("switch", DECIDED_ON, switching.handle),
        Reactor("serve", SERVED_ON, serving.handle),
        Reactor("give-up-branches", frozenset({BranchDeleted}), giving_up.handle),
        Reactor("roll-out", frozenset({WeightChanged, AliasesChanged}), rolling_out.handle),
    ]
