"""The wake-ups in a service's hands: kept alive while they are worked on, settled by what came of them."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import assert_never

import nats.errors
import structlog
from nats.aio.msg import Msg

from windlass_contracts.cloudevent import TYPE_HEADER, Recorded
from windlass_contracts.errors import ContractError
from windlass_contracts.event import Event, published_events
from windlass_eventlog.attending import Attending
from windlass_eventlog.failpoints import awaits, reach
from windlass_eventlog.message import Message
from windlass_eventlog.reaction import UNTIL_MENDED, Handled, Postponed
from windlass_eventlog.reactor import WakeUp

_log = structlog.get_logger(__name__)

_REMEMBERED = 4_096


@dataclass(slots=True)
class Deliveries:
    """Takes messages of the durable and has them attended to, beside one another.

    Nothing is lost when this process dies: what was not acknowledged comes again.
    """

    attending: Attending
    ack_wait: timedelta
    _tasks: dict[int, "asyncio.Task[None]"] = field(default_factory=dict)
    _done: OrderedDict[int, None] = field(default_factory=OrderedDict)
    """The last that were done with: one that the server sent again meanwhile needs only another acknowledgement."""
    _unwanted: frozenset[str] = frozenset()
    """The types that this release knows, and waits for nowhere. What it does not know may be for it, once it does."""
    _delivered: int = 0

    def __post_init__(self) -> None:
        self._unwanted = frozenset(published_events()) - {kind.TYPE for kind in self.attending.wakes_on}

    async def take(self, message: Msg) -> None:
        """Begin with a message, and return at once.

        The same wake-up again, while it is worked on, is left alone: whatever settles the first settles it.
        """
        self._check_made_anew(message.metadata.sequence.consumer)
        if (message.headers or {}).get(TYPE_HEADER) in self._unwanted:
            async with _comes_again(message):
                await message.ack()
            return
        sequence = message.metadata.sequence.stream
        if sequence in self._done:
            async with _comes_again(message):
                await message.ack()
        elif sequence not in self._tasks:
            task = asyncio.create_task(self._work(message, sequence), name=f"wake-up {sequence}")
            self._tasks[sequence] = task
            task.add_done_callback(lambda _: self._tasks.pop(sequence, None))

    def _check_made_anew(self, delivered: int) -> None:
        """Notice that the durable counts from the beginning again: what it brings may have come before."""
        if delivered < self._delivered:
            self.attending.made_anew()
            self._done.clear()  # it may be of another stream, with other events under the same sequences
        self._delivered = delivered

    async def close(self) -> None:
        """Stop all work, and give its wake-ups back, so that whoever comes next gets them at once."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, message: Msg, sequence: int) -> None:
        try:
            async with _comes_again(message):
                async with self._kept(message):
                    outcome = await self._outcome(message, sequence)
                if isinstance(outcome, Handled):
                    self._remember(sequence)
                await _settle(message, sequence, outcome)
        except asyncio.CancelledError:
            await message.nak()
            raise

    def _remember(self, sequence: int) -> None:
        self._done[sequence] = None
        if len(self._done) > _REMEMBERED:
            self._done.popitem(last=False)

    async def _outcome(self, message: Msg, sequence: int) -> Handled | Postponed:
        if sequence in self.attending.reaction.quarantined:
            return Handled()  # an operator lets the service pass it over, readable or not
        try:
            recorded = self._read(message, sequence)
        except ContractError as error:  # the rows halt at it too, and say so: whoever mends that has it come again
            return Postponed(UNTIL_MENDED, str(error))
        return await self.attending.to(WakeUp(recorded, message.metadata.num_delivered))

    def _read(self, message: Msg, sequence: int) -> Recorded[Event]:
        return Message(message.subject, message.headers or {}, message.data).recorded(sequence)

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


@asynccontextmanager
async def _comes_again(message: Msg) -> AsyncIterator[None]:
    """Leave a message unsettled where the server is away: it sends it again once it has waited long enough."""
    try:
        yield
    except (nats.errors.Error, OSError) as error:
        sequence = message.metadata.sequence.stream
        _log.warning("wakeup.unsettled", sequence=sequence, error=str(error) or repr(error))


async def _acknowledge(message: Msg, sequence: int) -> None:
    kind = (message.headers or {}).get(TYPE_HEADER, "")
    reach("before_ack", kind, sequence)
    if awaits("after_ack", kind):
        await message.ack_sync()  # a plain one may still lie in this process when it is killed
    else:
        await message.ack()
    reach("after_ack", kind, sequence)


async def _settle(message: Msg, sequence: int, outcome: Handled | Postponed) -> None:
    match outcome:
        case Handled():
            await _acknowledge(message, sequence)
        case Postponed(delay=delay, why=why):
            _log.debug("wakeup.postponed", sequence=sequence, seconds=delay.total_seconds(), why=why)
            await message.nak(delay=max(delay.total_seconds(), 0.001))
        case _:
            assert_never(outcome)
