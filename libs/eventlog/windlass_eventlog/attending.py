"""What becomes of a wake-up, whoever delivers it: it is done with, or has to come again after a while.

Each reactor that it wakes up gets its own end. One that failed as often as is tried is given up (`ReactionAbandoned`,
durable before the wake-up is done with), while the others go on; none is run again once it had its end.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import assert_never

import structlog

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import ReactionRetried
from windlass_contracts.subjects import STREAM, AggregateKey
from windlass_eventlog.dead_letters.failure import Failure
from windlass_eventlog.dead_letters.letters import Job, Letters
from windlass_eventlog.dead_letters.unsettled import Unsettled
from windlass_eventlog.errors import (
    AWAY,
    ConflictError,
    HungError,
    ProcessDiedError,
    ReactorMissingError,
)
from windlass_eventlog.reaction import UNTIL_BACK, UNTIL_MENDED, Broken, Handled, Outcome, Postponed, Reaction
from windlass_eventlog.reactor import WakeUp
from windlass_eventlog.turns import Turns

TRIES = 30
"""How often a handler may fail on a wake-up before it is given up, with growing delays: some 20 minutes in all."""

DEATHS = 10
"""How often the process may die at the same handler's work before it is given up."""

_ALONE_AFTER = 3
"""After that many deaths, what may be to blame is done one at a time, so that the next death names it."""

_FIRST_DELAY = timedelta(milliseconds=250)
_LONGEST_DELAY = timedelta(minutes=1)

_log = structlog.get_logger(__name__)


def delay_after(failures: int) -> timedelta:
    """Return how long to wait after that many failures: 0.25 s, doubled each time, one minute at most."""
    return min(_FIRST_DELAY * 2.0 ** min(failures - 1, 16), _LONGEST_DELAY)


@dataclass(slots=True)
class _Visit:
    """What this process knows of a wake-up that was not done with at once.

    `suspect`: another process had it before, and may have died of it.
    """

    suspect: bool
    done: set[str] = field(default_factory=set)
    failures: Counter[str] = field(default_factory=Counter)
    due: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Attending:
    """Attends to the wake-ups of one service, those about one aggregate one after the other.

    `seen_before` is the sequence up to which wake-ups may have come to another process, though the server says that
    they come for the first time: its consumer may have been made anew.
    """

    reaction: Reaction
    letters: Letters
    unsettled: Unsettled
    seen_before: int = 0
    monotonic: Callable[[], float] = time.monotonic
    _visits: dict[int, _Visit] = field(default_factory=dict)
    _turns: Turns = field(default_factory=Turns)
    _alone: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def wakes_on(self) -> frozenset[type[Event]]:
        """The types of event that mean something here."""
        return self.reaction.wakes_on | {ReactionRetried}

    def made_anew(self) -> None:
        """Take note that the consumer was made anew: everything up to now may have come before."""
        self.seen_before = max(self.seen_before, self.reaction.rows.position)
        _log.warning("consumer.counts_anew", seen_before=self.seen_before)

    async def to(self, wake: WakeUp) -> Handled | Postponed:
        """Do what the event asks for, as far as it can be done now."""
        sequence = wake.recorded.sequence
        visit = self._visits.setdefault(sequence, _Visit(suspect=wake.attempt > 1))
        try:
            outcome = await self._attend(wake, visit)
            if isinstance(outcome, Handled) and visit.suspect:
                await self.unsettled.forget(sequence)
        except ConflictError as conflict:
            outcome = Postponed(UNTIL_BACK, str(conflict))
        except AWAY as away:
            outcome = Postponed(UNTIL_BACK, str(away))
        except Exception as error:  # noqa: BLE001 - not the handler's: whatever it is, the wake-up must not be lost
            _log.critical("wakeup.not_attended", stream=STREAM, sequence=sequence, exc_info=error)
            outcome = Postponed(UNTIL_MENDED, str(error))
        if isinstance(outcome, Handled):
            self._visits.pop(sequence, None)
        return outcome

    async def _attend(self, wake: WakeUp, visit: _Visit) -> Handled | Postponed:
        if isinstance(wake.recorded.event, ReactionRetried):
            return await self._retry(wake, visit)
        async with self._turns.of(_turn(wake.recorded.key)):
            if (away := await self.reaction.ready(wake.recorded.sequence)) is not None:
                return away
            names = [reactor.name for reactor in self.reaction.woken_by(wake.recorded.event)]
            if visit.suspect or wake.recorded.sequence <= self.seen_before:
                visit.done |= await self.letters.given_up(wake.recorded, names)
            jobs = [self.letters.job(name, wake.recorded) for name in names if name not in visit.done]
            return _soonest([await self._do(job, wake.attempt, visit) for job in jobs])

    async def _retry(self, wake: WakeUp, visit: _Visit) -> Handled | Postponed:
        """Run the one reactor on the event that it failed on, as if that had come again now."""
        if (away := await self.reaction.ready(wake.recorded.sequence)) is not None:
            return away
        job = await self.letters.wanted(wake.recorded)
        if job is None:
            return Handled()
        async with self._turns.of(_turn(job.event.key)):
            return await self._do(job, wake.attempt, visit)

    async def _do(self, job: Job, attempt: int, visit: _Visit) -> Handled | Postponed:
        remaining = visit.due.get(job.reactor, 0.0) - self.monotonic()
        if remaining > 0:
            return Postponed(timedelta(seconds=remaining), f"{job.reactor} is not due yet")
        outcome = await self._run(job, attempt, visit)
        match outcome:
            case Handled():
                if job.again:
                    await self.letters.recover(job)
                visit.done.add(job.reactor)
                return outcome
            case Broken(error=error):
                outcome = await self._failed(job, visit, error)
            case Postponed():
                pass
            case _:
                assert_never(outcome)
        if isinstance(outcome, Postponed):
            visit.due[job.reactor] = self.monotonic() + outcome.delay.total_seconds()
        return outcome

    async def _run(self, job: Job, attempt: int, visit: _Visit) -> Outcome:
        reactor = self.reaction.named(job.reactor)
        if reactor is None:
            return Broken(job.reactor, ReactorMissingError(job.reactor))
        wake = WakeUp(job.event, attempt)
        if not visit.suspect:
            return await self.reaction.of(reactor, wake)
        async with self._counted(job) as deaths:
            if deaths >= DEATHS:
                return Broken(job.reactor, ProcessDiedError(job.reactor, deaths))
            async with self._in_company(deaths):
                return await self.reaction.of(reactor, wake)

    @asynccontextmanager
    async def _counted(self, job: Job) -> AsyncIterator[int]:
        """Yield how often a process died at this; if this one does too, it is counted by whoever comes next."""
        place = (job.cause.sequence, job.reactor)
        deaths = await self.unsettled.begin(*place)
        try:
            yield deaths
        finally:
            await self.unsettled.end(*place)

    @asynccontextmanager
    async def _in_company(self, deaths: int) -> AsyncIterator[None]:
        if deaths < _ALONE_AFTER:
            yield
            return
        async with self._alone:
            yield

    async def _failed(self, job: Job, visit: _Visit, error: Exception) -> Handled | Postponed:
        """Have it tried again, or give it up: then it is done with, once the log says so."""
        visit.failures[job.reactor] += 1
        failures = error.deaths if isinstance(error, ProcessDiedError) else visit.failures[job.reactor]
        about = _about(job, failures)
        if failures < TRIES and not isinstance(error, _FINAL):
            delay = delay_after(failures)
            _log.error("reaction.failed", seconds=delay.total_seconds(), exc_info=error, **about)
            return Postponed(delay, str(error))
        await self.letters.abandon(job, Failure.of(error), failures)
        _log.critical("reaction.abandoned", dead_letter=str(job.letter.id), exc_info=error, **about)
        visit.done.add(job.reactor)
        return Handled()


_FINAL = (HungError, ProcessDiedError, ReactorMissingError)
"""What would end in the same way, if it were tried again by itself."""


def _about(job: Job, failures: int) -> Mapping[str, object]:
    event: Recorded[Event] = job.event
    return {
        "stream": STREAM,
        "sequence": event.sequence,
        "type": event.event.TYPE,
        "reactor": job.reactor,
        "failures": failures,
    }


def _turn(key: AggregateKey) -> str:
    """Return what the event is about, whoever appended it."""
    return key.pattern


def _soonest(outcomes: list[Handled | Postponed]) -> Handled | Postponed:
    postponed = [outcome for outcome in outcomes if isinstance(outcome, Postponed)]
    return min(postponed, key=lambda outcome: outcome.delay) if postponed else Handled()
