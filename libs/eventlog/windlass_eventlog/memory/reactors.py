"""Wake-ups in memory: delivered one after the other, in an order and a time that the test chooses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import assert_never

from windlass_eventlog.memory.log import MemoryLog
from windlass_eventlog.memory.rows import MemoryRows
from windlass_eventlog.reaction import Broken, Handled, Postponed, Reaction
from windlass_eventlog.reactor import Reactor, WakeUp


@dataclass(frozen=True, slots=True, order=True)
class Delivery:
    """A wake-up that is due at a moment of simulated time."""

    due: timedelta
    sequence: int
    attempt: int = 1


Choice = Callable[[Sequence[Delivery]], Delivery]


@dataclass(slots=True)
class MemoryReactors:
    """Drives one service's reactors.

    `choose` picks the next among the wake-ups that are due, the oldest by default. `now` is the simulated time that
    has passed: `TryAgain` comes back once `advance` has taken it there. An error of a handler is raised out of
    `settle` and `advance`; its wake-up stays due, so that going on delivers it again.
    """

    log: MemoryLog
    rows: MemoryRows
    reactors: Sequence[Reactor]
    choose: Choice = min
    now: timedelta = timedelta()
    waiting: list[Delivery] = field(default_factory=list)
    _seen: int = 0

    async def settle(self) -> None:
        """Deliver whatever is due, and what that causes, until all is quiet."""
        while due := self.due():
            await self._deliver(self.choose(due))

    async def advance(self, by: timedelta) -> None:
        """Let time pass; everything is delivered at its own moment."""
        end = self.now + by
        await self.settle()
        while (later := [one for one in self.waiting if one.due <= end]) and later:
            self.now = min(later).due
            await self.settle()
        self.now = end

    def deliver_again(self, sequence: int) -> None:
        """Wake up once more for an event, as a log does that lost an acknowledgement."""
        self.waiting.append(Delivery(self.now, sequence, attempt=2))

    def due(self) -> list[Delivery]:
        """Return the wake-ups that may be delivered now."""
        while self._seen < self.log.length:
            self._seen += 1
            self.waiting.append(Delivery(self.now, self._seen))
        return sorted(one for one in self.waiting if one.due <= self.now)

    async def _deliver(self, delivery: Delivery) -> None:
        self.waiting.remove(delivery)
        reaction = Reaction(self.log, self.rows, self.reactors)
        outcome = await reaction.to(WakeUp(self.log.at(delivery.sequence), delivery.attempt))
        match outcome:
            case Handled():
                return
            case Postponed(delay=delay):
                self.waiting.append(Delivery(self.now + delay, delivery.sequence, delivery.attempt + 1))
            case Broken(error=error):
                self.waiting.append(Delivery(self.now, delivery.sequence, delivery.attempt + 1))
                raise error
            case _:
                assert_never(outcome)
