"""The port to the lines of deployments. Two adapters pass the same contract tests: JetStream, and one in memory.

Writing goes through `LogWriter`, which redacts, numbers, batches and retries over a store:

    async with LogWriter(store, DeploymentLog.of(recorded.key), "build-1", Redaction(secret_values)) as writer:
        await writer.write(RawLine(time.time_ns(), "out", b"Collecting flask"))

Reading goes to the store itself: `read` ends with what there is, `follow` goes on until it is closed.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID

from windlass_contracts.ids import DeploymentId, ProjectId, RunId, TeamId
from windlass_contracts.logs import LogBatch
from windlass_contracts.subjects import Aggregate, AggregateKey, log_subject
from windlass_eventlog.errors import EventLogError

Stream = Literal["out", "err", "note"]
"""Which of its two outputs a program wrote to; `note` is what the platform itself says in between."""


class SourceTakenError(EventLogError):
    """Somebody else writes the same source of the same deployment: only one may."""


class UnreadableBatchError(EventLogError):
    """A message of the stream is no batch of lines that this release can read."""


@dataclass(frozen=True, slots=True)
class DeploymentLog:
    """All lines of one deployment: of its builds and its containers."""

    team: TeamId
    project: ProjectId
    deployment: DeploymentId

    @classmethod
    def of(cls, key: AggregateKey) -> "DeploymentLog":
        """Return the log of the deployment that an event is about.

        Raises:
            ValueError: the event is not about a deployment.
        """
        if key.project is None or key.aggregate is not Aggregate.DEPLOYMENT:
            raise ValueError(f"A {key.aggregate} has no log; only deployments have.")
        return cls(key.team, key.project, DeploymentId(key.id))

    @property
    def subject(self) -> str:
        return log_subject(self.team, self.project, self.deployment)

    @property
    def owner(self) -> UUID:
        return self.deployment


@dataclass(frozen=True, slots=True)
class RunOutput:
    """What one command that runs once writes: for whoever asked for it, and in no deployment's log."""

    team: TeamId
    run: RunId

    @property
    def subject(self) -> str:
        return f"tty.{self.team}.{self.run}.out"

    @property
    def owner(self) -> UUID:
        return self.run


Lines = DeploymentLog | RunOutput
"""Lines that belong together: one store has those of deployments, another one those of commands."""


@dataclass(frozen=True, slots=True)
class RawLine:
    """A line as a program wrote it, without its end: any bytes. `time_ns` counts nanoseconds since 1970, UTC."""

    time_ns: int
    stream: Stream
    data: bytes


@dataclass(frozen=True, slots=True)
class Cursor:
    """A line that was read already: reading goes on behind it, with the lines of all sources that came later."""

    source: str
    line: int


def behind(batch: LogBatch, cursor: Cursor | None) -> LogBatch | None:
    """Return what of a batch comes behind the cursor; None where nothing does."""
    if cursor is None or cursor.source != batch.source or cursor.line < batch.first:
        return batch
    read = cursor.line + 1 - batch.first
    rest = batch.lines[read:]
    return batch.model_copy(update={"first": batch.first + read, "lines": rest}) if rest else None


class LogStore(Protocol):
    """Batches of lines, in the order in which they were stored."""

    async def append(self, log: Lines, batch: LogBatch) -> None:
        """Store the next batch of its source. Storing the same batch again changes nothing.

        Raises:
            LogUnavailableError: no answer in time; the batch may have been stored. Try the same batch again.
            SourceTakenError: another batch begins at the same line of the same source.
        """
        ...

    async def last(self, log: Lines, source: str, before: int | None = None) -> LogBatch | None:
        """Return the last batch of a source, or the last one that begins before a line; None where there is none.

        Raises:
            LogUnavailableError: no answer in time.
        """
        ...

    def read(self, log: Lines, after: Cursor | None = None) -> AsyncGenerator[LogBatch, None]:
        """Yield what is stored by now, from the beginning or behind a line, and end.

        Lines that aged out are left out; a cursor that aged out stands before everything that is left.

        Raises:
            LogUnavailableError: no answer in time.
            UnreadableBatchError: a message is no batch.
        """
        ...

    def follow(self, log: Lines, after: Cursor | None = None) -> AsyncGenerator[LogBatch, None]:
        """Yield the same, then every batch as it is stored, through reconnects, until closed (`aclose`) or cancelled.

        Raises:
            UnreadableBatchError: a message is no batch.
        """
        ...
