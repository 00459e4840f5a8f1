"""The wake-ups in a service's hands: kept alive while they are worked on, settled by what came of them."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import assert_never

import nats.errors
import structlog
from nats.aio.msg import Msg

from windlass_contracts.cloudevent import TYPE_HEADER
from windlass_contracts.subjects import STREAM
from windlass_eventlog.failpoints import awaits, reach
from windlass_eventlog.jetstream.turns import Turns
from windlass_eventlog.message import Message
from windlass_eventlog.reaction import Broken, Handled, Outcome, Postponed, Reaction
from windlass_eventlog.reactor import WakeUp

TRIES = 30
"""How often a handler may fail on a wake-up before it is given up, with growing delays: some 20 minutes in all."""

_FIRST_DELAY = timedelta(milliseconds=250)
_LONGEST_DELAY = timedelta(minutes=1)

_log = structlog.get_logger(__name__)


def delay_after(failures: int) -> timedelta:
    """Return how long to wait after that many failures: 0.25 s, doubled each time, one minute at most."""
    return min(_FIRST_DELAY * 2.0 ** min(failures - 1, 16), _LONGEST_DELAY)


@dataclass(slots=True)
class Deliveries:
    """Takes messages of the durable and hands them to the reaction.

    One at a time for each aggregate, all others beside one another. Nothing is lost when this process dies: what was
    not acknowledged comes again.
    """

    reaction: Reaction
    ack_wait: timedelta
    _tasks: dict[int, "asyncio.Task[None]"] = field(default_factory=dict)
    _failures: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    _turns: Turns = field(default_factory=Turns)
    _wanted: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self._wanted = frozenset(kind.TYPE for kind in self.reaction.wakes_on)

    async def take(self, message: Msg) -> None:
        """Begin with a message, and return at once.

        The same wake-up again, while it is worked on, is left alone: whatever settles the first settles it.
        """
        if (message.headers or {}).get(TYPE_HEADER) not in self._wanted:
            await message.ack()
            return
        sequence = message.metadata.sequence.stream
        if sequence not in self._tasks:
            task = asyncio.create_task(self._work(message, sequence), name=f"wake-up {sequence}")
            self._tasks[sequence] = task
            task.add_done_callback(lambda _: self._tasks.pop(sequence, None))

    async def close(self) -> None:
        """Stop all work, and give its wake-ups back, so that whoever comes next gets them at once."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, message: Msg, sequence: int) -> None:
        try:
            async with self._kept(message), self._turns.of(_aggregate(message.subject)):
                outcome = await self._outcome(message, sequence)
            await self._settle(message, sequence, outcome)
        except asyncio.CancelledError:
            await message.nak()
            raise
        except (nats.errors.Error, OSError) as error:  # it comes again once the server has waited long enough
            _log.warning("wakeup.unsettled", sequence=sequence, error=str(error) or repr(error))

    async def _outcome(self, message: Msg, sequence: int) -> Outcome:
        try:
            recorded = Message(message.subject, message.headers or {}, message.data).recorded(sequence)
        except Exception as error:  # noqa: BLE001 - handed on like any other failure: logged, and tried again
            return Broken("reading", error)
        return await self.reaction.to(WakeUp(recorded, message.metadata.num_delivered))

    async def _settle(self, message: Msg, sequence: int, outcome: Outcome) -> None:
        match outcome:
            case Handled():
                self._failures.pop(sequence, None)
                await _acknowledge(message, sequence)
            case Postponed(delay=delay, why=why):
                _log.debug("wakeup.postponed", sequence=sequence, seconds=delay.total_seconds(), why=why)
                await message.nak(delay=max(delay.total_seconds(), 0.001))
            case Broken(reactor=reactor, error=error):
                await self._failed(message, sequence, reactor, error)
            case _:
                assert_never(outcome)

    async def _failed(self, message: Msg, sequence: int, reactor: str, error: Exception) -> None:
        self._failures[sequence] += 1
        failures = self._failures[sequence]
        about = {"stream": STREAM, "sequence": sequence, "subject": message.subject, "reactor": reactor}
        if failures >= TRIES:
            del self._failures[sequence]
            _log.critical("wakeup.given_up", failures=failures, exc_info=error, **about)
            await message.term()
            return
        delay = delay_after(failures)
        _log.error("wakeup.failed", failures=failures, seconds=delay.total_seconds(), exc_info=error, **about)
        await message.nak(delay=delay.total_seconds())

    @asynccontextmanager
    async def _kept(self, message: Msg) -> AsyncIterator[None]:
        """Tell the server three times in its patience that somebody is still at work, or waits for his turn."""
        heart = asyncio.create_task(self._beat(message))
        try:
            yield
        finally:
            heart.cancel()

    async def _beat(self, message: Msg) -> None:
        while True:
            await asyncio.sleep(self.ack_wait.total_seconds() / 3)
            try:
                await message.in_progress()
            except (nats.errors.Error, OSError) as error:
                _log.warning("wakeup.no_heartbeat", subject=message.subject, error=str(error) or repr(error))


async def _acknowledge(message: Msg, sequence: int) -> None:
    kind = (message.headers or {}).get(TYPE_HEADER, "")
    reach("before_ack", kind, sequence)
    if awaits("after_ack", kind):
        await message.ack_sync()  # a plain one may still lie in this process when it is killed
    else:
        await message.ack()
    reach("after_ack", kind, sequence)


def _aggregate(subject: str) -> str:
    """Return what the event is about, whoever appended it."""
    return subject.split(".", 2)[2]
