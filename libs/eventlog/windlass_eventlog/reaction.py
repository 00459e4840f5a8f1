"""What one wake-up leads to: the rows are awaited, the handlers run, what conflicted is decided again."""

import asyncio
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import timedelta

from windlass_contracts.event import Event
from windlass_eventlog.errors import (
    AWAY,
    ConflictError,
    HaltedError,
    HungError,
    NotReachedError,
    RowsUnavailableError,
    TryAgain,
)
from windlass_eventlog.log import EventLog
from windlass_eventlog.projection import Rows
from windlass_eventlog.reactor import Reactor, WakeUp

DECISIONS = 10
"""How often a handler decides at once when others keep writing before it."""

_ROWS_PATIENCE = timedelta(seconds=30)
UNTIL_BACK = timedelta(seconds=1)
"""How long to wait for what is away."""
UNTIL_MENDED = timedelta(minutes=1)
"""How long to wait for what somebody has to mend."""


@dataclass(frozen=True, slots=True)
class Handled:
    """Nothing is left to do."""


@dataclass(frozen=True, slots=True)
class Postponed:
    """The wake-up has to come again, by the handler's wish or because something is away: no failure."""

    delay: timedelta
    why: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A handler failed in a way that nobody foresaw."""

    reactor: str
    error: Exception


Outcome = Handled | Postponed | Broken


@dataclass(frozen=True, slots=True)
class Reaction:
    """The reactors of one service over its log and rows."""

    log: EventLog
    rows: Rows
    reactors: Sequence[Reactor]
    quarantined: Container[int] = frozenset()

    @property
    def wakes_on(self) -> frozenset[type[Event]]:
        """The types of event that somebody reacts to."""
        return frozenset().union(*(reactor.wakes_on for reactor in self.reactors))

    def woken_by(self, event: Event) -> list[Reactor]:
        """Return the reactors that an event wakes up."""
        return [reactor for reactor in self.reactors if type(event) in reactor.wakes_on]

    def named(self, name: str) -> Reactor | None:
        """Return a reactor by its name."""
        return next((reactor for reactor in self.reactors if reactor.name == name), None)

    async def to(self, wake: WakeUp) -> Outcome:
        """Run every handler that the event wakes up, and return what that means for the wake-up as a whole."""
        if (away := await self.ready(wake.recorded.sequence)) is not None:
            return away
        return _worst([await self.of(reactor, wake) for reactor in self.woken_by(wake.recorded.event)])

    async def ready(self, sequence: int) -> Postponed | None:
        """Wait until the rows have an event; return how long to wait on, where they do not get there."""
        try:
            await self.rows.reached(sequence, _ROWS_PATIENCE)
        except (NotReachedError, RowsUnavailableError) as away:
            return Postponed(UNTIL_BACK, str(away))
        except HaltedError as halted:
            return Postponed(UNTIL_MENDED, str(halted))
        return None

    async def of(self, reactor: Reactor, wake: WakeUp) -> Outcome:
        """Run one handler; the rows have the event."""
        try:
            await self._within(reactor, wake)
        except TryAgain as again:
            return Postponed(again.after, str(again))
        except AWAY as away:
            return Postponed(UNTIL_BACK, str(away))
        except Exception as error:  # noqa: BLE001 - handed on: whoever delivers the wake-ups logs it and tries again
            return Broken(reactor.name, error)
        return Handled()

    async def _within(self, reactor: Reactor, wake: WakeUp) -> None:
        try:
            async with asyncio.timeout(reactor.within.total_seconds()) as patience:
                await self._decide(reactor, wake)
        except TimeoutError as error:
            if not patience.expired():
                raise
            raise HungError(reactor.name, reactor.within) from error

    async def _decide(self, reactor: Reactor, wake: WakeUp) -> None:
        for _ in range(DECISIONS - 1):
            try:
                return await reactor.handle(wake)
            except ConflictError as conflict:
                await self.rows.reached(conflict.actual or await self.log.head(), _ROWS_PATIENCE)
        return await reactor.handle(wake)


def _worst(outcomes: Sequence[Outcome]) -> Outcome:
    for outcome in outcomes:
        if isinstance(outcome, Broken):
            return outcome
    postponed = [outcome for outcome in outcomes if isinstance(outcome, Postponed)]
    return min(postponed, key=lambda outcome: outcome.delay) if postponed else Handled()
