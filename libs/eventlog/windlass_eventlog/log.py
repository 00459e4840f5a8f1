"""The port to the log. Two adapters pass the same contract tests: JetStream, and one in memory for simulations."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from windlass_contracts.cloudevent import Proposed, Recorded
from windlass_contracts.event import Event
from windlass_contracts.subjects import ALL_EVENTS, AggregateKey
from windlass_eventlog.message import StoredMessage, Stretch


@dataclass(frozen=True, slots=True)
class Expected:
    """The condition of an append: the last event in `scope` (a subject pattern) stands at `sequence`; 0 means none."""

    scope: str
    sequence: int

    @classmethod
    def at(cls, key: AggregateKey, sequence: int) -> "Expected":
        """Expect that the last event about an aggregate stands at `sequence`."""
        return cls(key.pattern, sequence)

    @classmethod
    def new(cls, key: AggregateKey) -> "Expected":
        """Expect that there is no event about an aggregate yet."""
        return cls(key.pattern, 0)


class EventLog(Protocol):
    """Append with a condition; read in order, without gap or double."""

    async def append(self, proposed: Proposed[Event], expected: Expected) -> int:
        """Return the sequence of the event once it is durable.

        Appending the same event (by id) again returns the sequence that it has, whatever the condition says.

        Raises:
            ConflictError: the scope does not end where it was expected to.
            LogUnavailableError: no answer in time; append the same event again, with the same id.
            LogFullError: the byte budget is used up.
            PermissionDeniedError: the server forbids it.
            ContractError: no reader would take the event.
        """
        ...

    def read(self, after: int, pattern: str = ALL_EVENTS) -> AsyncGenerator[Recorded[Event], None]:
        """Yield every event behind `after` whose subject matches, in order, and go on with those still to come.

        Survives reconnects and restarts of the server. Ends only by being closed or by an error.

        Raises:
            GapError: the stream misses a sequence, or begins after `after` + 1, or ends before `after`.
            ContractError: an event cannot be read; its subclasses say why.
        """
        ...

    def stretches(self, after: int) -> AsyncGenerator[Stretch, None]:
        """Yield everything behind `after` as it is stored, unread: what is there at once together, then what comes.

        For those who read much, or who go on where an event cannot be read. Survives what `read` survives.

        Raises:
            GapError: as `read`.
        """
        ...

    async def message(self, sequence: int) -> StoredMessage:
        """Return what is stored at a sequence, unread; what `read` passes over, too. Takes 0.3 to 1 ms.

        Raises:
            GapError: nothing is.
        """
        ...

    async def head(self) -> int:
        """Return the sequence of the last event; 0 when there is none."""
        ...

    async def created(self) -> datetime:
        """Return when the log was made: the same for as long as it exists, another one if it was made anew."""
        ...
