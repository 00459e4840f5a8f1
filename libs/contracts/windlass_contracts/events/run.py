"""One-off commands in a project's release, beside its running containers."""

from typing import ClassVar

from windlass_contracts.config import Limits
from windlass_contracts.event import Event
from windlass_contracts.ids import DeploymentId, SecretId
from windlass_contracts.subjects import Aggregate, Service
from windlass_contracts.values import ContainerName, ExitCode, Milliseconds, NodeName, Seconds, Sentence, Token


class RunRequested(Event):
    """Somebody wants a command to run once, in the release and with the variables of this deployment."""

    TYPE: ClassVar = "run.requested.v1"
    AGGREGATE: ClassVar = Aggregate.RUN
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    deployment: DeploymentId
    command: SecretId
    """The command line: encrypted, for people type passwords into it."""
    terminal: bool = False
    """Whether somebody sits before it, with a screen and a keyboard."""
    limits: Limits
    deadline_s: Seconds = 3_600
    """From its start; then it is killed."""


class RunStarted(Event):
    """The command runs, in this container and in no other ever."""

    TYPE: ClassVar = "run.started.v1"
    AGGREGATE: ClassVar = Aggregate.RUN
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER})

    node: NodeName
    container: ContainerName


class RunEnded(Event):
    """The command does not run any more, or never will."""

    TYPE: ClassVar = "run.ended.v1"
    AGGREGATE: ClassVar = Aggregate.RUN
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER, Service.GATEWAY})

    code: Token
    """`exited`, `canceled`, `timeout`, `out-of-memory`, `lost`, or why it could not start."""
    exit_code: ExitCode | None = None
    """For `exited`: 128 and more after a signal."""
    reason: Sentence | None = None
    """For people, where the code does not say it all."""
    duration_ms: Milliseconds | None = None
    """From its start."""
