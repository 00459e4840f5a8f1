"""The containers of a deployment: started, paused, resumed, stopped, and whether they answer."""

from signal import SIGKILL, SIGTERM
from typing import ClassVar

from windlass_contracts.config import Limits
from windlass_contracts.event import Event
from windlass_contracts.subjects import Aggregate, Service
from windlass_contracts.values import (
    Address,
    ContainerName,
    Count,
    ExitCode,
    HttpStatus,
    Milliseconds,
    NodeName,
    Ordinal,
    Port,
    Token,
)


class ContainerStarted(Event):
    """A container of the release runs at this address, which is nobody else's as long as it exists."""

    TYPE: ClassVar = "container.started.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER})

    node: NodeName
    container: ContainerName
    replica: Count
    """Which of the deployment's containers, counted from 0."""
    address: Address
    port: Port
    """Where it answers at the address."""
    limits: Limits
    runtime: Token
    """`docker`, `process`, or a later one."""
    duration_ms: Milliseconds
    """Until it ran; not until it was healthy."""


class ContainerPaused(Event):
    """The container is kept warm: frozen, with its memory and its address, ready to be resumed."""

    TYPE: ClassVar = "container.paused.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER})

    node: NodeName
    container: ContainerName


class ContainerResumed(Event):
    """The paused container runs again; it counts as healthy only once it was probed again."""

    TYPE: ClassVar = "container.resumed.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER})

    node: NodeName
    container: ContainerName


class ContainerStopped(Event):
    """The container does not run any more: stopped by us, or gone by itself."""

    TYPE: ClassVar = "container.stopped.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER})
    LOOPING: ClassVar = "looping"
    # Why a container stopped whose place a fresh one takes, which loops on until it is said to have started once more.
    UNSEEN: ClassVar = "unseen"
    # Why a container stopped that was found ended, by whomever: its engine, or its machine, may have told it to end.

    node: NodeName
    container: ContainerName
    why: Token
    """`exited`, or why we stopped it: `retired`, `canceled`, `failed` and others."""
    exit_code: ExitCode | None = None
    """As the runtime tells it: 128 and more after a signal."""
    out_of_memory: bool = False

    @property
    def from_outside(self) -> bool:
        """Whether it went down with the engine or the machine, or by somebody's hand, as far as can be told.

        What is started once more because of that ends again where it was the app itself.
        """
        killed = self.why == "exited" and self.exit_code in _FROM_OUTSIDE and not self.out_of_memory
        return killed or self.why in _NOT_THERE


_FROM_OUTSIDE = frozenset({128 + SIGKILL, 128 + SIGTERM, 255})
"""How containers end that go down with the engine or the machine; 255 where Docker knows no more."""
_NOT_THERE = frozenset({"missing", "removed", "cut-off", ContainerStopped.UNSEEN})


class ContainerLooping(Event):
    """The container ends again and again soon after its start; it is started again later and later."""

    TYPE: ClassVar = "container.looping.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER})

    node: NodeName
    container: ContainerName
    exits: Ordinal
    """How often in a row it ended soon after its start."""
    exit_code: ExitCode | None = None
    """The last one."""
    out_of_memory: bool = False


class Healthy(Event):
    """The probe was answered as the project wants it."""

    TYPE: ClassVar = "health.passed.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.MONITOR})

    container: ContainerName
    probe: Token
    """The kind of probe: `http`, `tcp`, `command`."""
    status: HttpStatus | None = None
    """Of the answer, for HTTP."""
    tries: Ordinal
    """How often it was asked, this time included."""
    duration_ms: Milliseconds
    """From the first try to the good answer."""


class Unhealthy(Event):
    """A container that was healthy does not answer as it should any more."""

    TYPE: ClassVar = "health.lost.v1"
    AGGREGATE: ClassVar = Aggregate.DEPLOYMENT
    APPENDED_BY: ClassVar = frozenset({Service.MONITOR})

    container: ContainerName
    probe: Token
    """The kind of probe: `http`, `tcp`, `command`."""
    code: Token
    """What was wrong: `refused`, `timeout`, `bad-status` and others."""
    status: HttpStatus | None = None
    """Of the last answer, for HTTP."""
    failures: Ordinal
    """How many bad answers in a row."""
