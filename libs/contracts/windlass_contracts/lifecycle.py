"""The one transition table of a deployment, used by every service that appends to it.

requested -> building -> built -> started -> healthy -> cutover -> live, and, from every phase before the cutover,
failed, canceled or superseded; from the cutover only live or failed.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from windlass_contracts.errors import ForbiddenTransitionError
from windlass_contracts.event import Event
from windlass_contracts.events import (
    BuildStarted,
    BuildSucceeded,
    ContainerLooping,
    ContainerPaused,
    ContainerResumed,
    ContainerStarted,
    ContainerStopped,
    CutoverStarted,
    DeploymentCanceled,
    DeploymentLive,
    DeploymentRequested,
    DeploymentScaled,
    DeploymentSuperseded,
    Failed,
    Healthy,
    PreDeployStarted,
    PreDeploySucceeded,
    RestartFailed,
    RestartRequested,
    RestartSucceeded,
    Unhealthy,
)


class Phase(StrEnum):
    """How far a deployment is."""

    REQUESTED = "requested"
    BUILDING = "building"
    BUILT = "built"
    STARTED = "started"
    HEALTHY = "healthy"
    CUTOVER = "cutover"
    LIVE = "live"
    FAILED = "failed"
    CANCELED = "canceled"
    SUPERSEDED = "superseded"

    @property
    def ended(self) -> bool:
        """Whether the request has its one answer."""
        return self in ENDS

    @property
    def cancelable(self) -> bool:
        """Whether a cancel, or a later request, still ends it."""
        return self in _BEFORE_CUTOVER


ENDS = frozenset({Phase.LIVE, Phase.FAILED, Phase.CANCELED, Phase.SUPERSEDED})
_BEFORE_CUTOVER = frozenset({Phase.REQUESTED, Phase.BUILDING, Phase.BUILT, Phase.STARTED, Phase.HEALTHY})

Transition = tuple[Phase | None, type[Event]]


def _table() -> dict[Transition, Phase]:
    table: dict[Transition, Phase] = {
        (None, DeploymentRequested): Phase.REQUESTED,
        (Phase.REQUESTED, BuildStarted): Phase.BUILDING,
        (Phase.BUILDING, BuildStarted): Phase.BUILDING,
        (Phase.BUILDING, BuildSucceeded): Phase.BUILT,
        (Phase.BUILT, PreDeployStarted): Phase.BUILT,
        (Phase.BUILT, PreDeploySucceeded): Phase.BUILT,
        (Phase.BUILT, ContainerStarted): Phase.STARTED,
        (Phase.STARTED, Healthy): Phase.HEALTHY,
        (Phase.HEALTHY, CutoverStarted): Phase.CUTOVER,
        (Phase.CUTOVER, DeploymentLive): Phase.LIVE,
        (Phase.CUTOVER, Failed): Phase.FAILED,
    }
    for phase in _BEFORE_CUTOVER:
        table[phase, Failed] = Phase.FAILED
        table[phase, DeploymentCanceled] = Phase.CANCELED
        table[phase, DeploymentSuperseded] = Phase.SUPERSEDED
    for phase in (Phase.STARTED, Phase.HEALTHY, Phase.CUTOVER, Phase.LIVE):
        for about_a_container in (ContainerStarted, ContainerStopped, ContainerLooping, Healthy, Unhealthy):
            table.setdefault((phase, about_a_container), phase)
    # A rollback claims its target by another cutover, so that nobody pauses it while the routes return to it.
    for what_happens_to_a_replaced_version in (ContainerPaused, ContainerResumed, CutoverStarted):
        table[Phase.LIVE, what_happens_to_a_replaced_version] = Phase.LIVE
    for about_its_replicas in (DeploymentScaled, RestartRequested, RestartSucceeded, RestartFailed):
        table[Phase.LIVE, about_its_replicas] = Phase.LIVE
    for phase in (Phase.FAILED, Phase.CANCELED, Phase.SUPERSEDED):
        table[phase, ContainerStopped] = phase
    return table


TRANSITIONS: Mapping[Transition, Phase] = MappingProxyType(_table())


def transition(phase: Phase | None, event: type[Event]) -> Phase:
    """Return the phase after an event.

    Raises:
        ForbiddenTransitionError: the event may not follow now.
    """
    try:
        return TRANSITIONS[phase, event]
    except KeyError:
        before = "does not exist" if phase is None else f"is {phase}"
        msg = f"A deployment that {before} cannot take {event.TYPE}."
        raise ForbiddenTransitionError(msg) from None
