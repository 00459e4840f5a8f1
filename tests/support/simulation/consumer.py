"""A service's durable: it remembers what was not acknowledged, delivers in whatever order, and sometimes twice."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

from nats.aio.msg import Msg

from support.simulation.log import SimulatedLog
from support.simulation.loop import VirtualLoop
from support.simulation.process import Process
from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.subjects import Service
from windlass_eventlog.attending import Attending
from windlass_eventlog.dead_letters.unsettled import MemoryUnsettled, Unsettled
from windlass_eventlog.jetstream.deliveries import Deliveries
from windlass_eventlog.message import StoredMessage
from windlass_eventlog.reaction import Broken, Outcome, Reaction
from windlass_eventlog.reactor import Reactor, WakeUp
from windlass_eventlog.topology import durable_of


def _come_by() -> None:
    """Only so that the time comes."""


def _no_answer() -> Exception:
    return OSError("NATS did not answer.")


_ACK_WAIT_S = durable_of(Service.GATEWAY).ack_wait.total_seconds()


@dataclass(slots=True)
class Pending:
    """An event that a service has not settled: to be delivered from `due` on, unless somebody has it in his hands."""

    sequence: int
    due: float
    attempt: int = 0
    held: bool = False


@dataclass(frozen=True, slots=True)
class _Watched(Reaction):
    """Keeps what nobody foresaw, of those who live."""

    process: Process = field(kw_only=True)
    broken: list[Broken] = field(default_factory=list)

    async def of(self, reactor: Reactor, wake: WakeUp) -> Outcome:
        outcome = await Reaction.of(self, reactor, wake)
        if isinstance(outcome, Broken) and not self.process.dead and not self.process.dying:
            self.broken.append(outcome)
        return outcome


@dataclass(slots=True)
class _ReadOnce(Deliveries):
    """Shares what the log read from the same bytes already."""

    log: SimulatedLog = field(kw_only=True)

    def _read(self, _message: Msg, sequence: int) -> Recorded[Event]:
        return self.log.at(sequence)


@dataclass(slots=True)
class UnsettledOf(Unsettled):
    """What a service counts in its database, as one process reaches it: one that was killed notes no end."""

    counted: MemoryUnsettled
    process: Process

    async def begin(self, sequence: int, reactor: str) -> int:
        return await self.counted.begin(sequence, reactor)

    async def end(self, sequence: int, reactor: str) -> None:
        if not self.process.dead and not self.process.dying:
            await self.counted.end(sequence, reactor)

    async def forget(self, sequence: int) -> None:
        await self.counted.forget(sequence)


@dataclass(slots=True)
class Consumer:
    """What the server knows of a service's wake-ups; `process` is who takes them now, if anybody does."""

    service: Service
    log: SimulatedLog
    loop: VirtualLoop
    acknowledges_first: bool = False
    """A bug that a test plants."""
    process: Process | None = None
    deliveries: Deliveries | None = None
    wanted: frozenset[type[Any]] = frozenset()
    pending: dict[int, Pending] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)
    unsettled: MemoryUnsettled = field(default_factory=MemoryUnsettled)
    _seen: int = 0
    _delivered: int = 0

    def due(self) -> list[Pending]:
        """Return what may be delivered now."""
        if self.deliveries is None:
            return []
        now = self.loop.time()
        return [one for one in self.pending.values() if one.due <= now and not one.held]

    def look(self) -> None:
        """Take up what was appended meanwhile, once it is known what wakes the service up."""
        if not self.wanted:
            return
        while self._seen < self.log.length:
            self._seen += 1
            if type(self.log.at(self._seen).event) in self.wanted:
                self.pending[self._seen] = Pending(self._seen, self.loop.time())

    def again(self, sequence: int) -> None:
        """Deliver an event once more, acknowledged or not."""
        if type(self.log.at(sequence).event) in self.wanted and sequence <= self._seen:
            self.pending.setdefault(sequence, Pending(sequence, self.loop.time(), 1))

    async def deliver(self, pending: Pending) -> None:
        """Put a wake-up into the service's hands."""
        if self.deliveries is None or self.process is None:
            return
        pending.held = True
        pending.attempt += 1
        self._delivered += 1
        message = Delivered(self, pending, self.process, self.log.stored(pending.sequence), self._delivered)
        if self.acknowledges_first:
            with suppress(OSError):
                await message.ack()
        await self.deliveries.take(cast("Msg", message))

    def lost(self) -> None:
        """Notice that nobody takes wake-ups any more: those in his hands come again."""
        self.process = self.deliveries = None
        for one in self.pending.values():
            if one.held:
                self.later(one, _ACK_WAIT_S)

    def later(self, pending: Pending, seconds: float) -> None:
        """Take a wake-up back, to be delivered again after a while."""
        pending.held, pending.due = False, self.loop.time() + seconds
        self.loop.call_later(seconds, _come_by)

    @asynccontextmanager
    async def delivering(self, process: Process, attending: Attending) -> AsyncIterator[Attending]:
        """Wake up a process's reactors while the block lasts."""
        self.process = process
        self.wanted = frozenset(attending.wakes_on)
        self.look()
        reaction = attending.reaction
        watched = _Watched(reaction.log, reaction.rows, reaction.reactors, process=process, broken=self.broken)
        attending = replace(attending, reaction=watched, monotonic=self.loop.time)
        self.deliveries = _ReadOnce(attending, durable_of(self.service).ack_wait, log=self.log)
        yield attending


@dataclass(slots=True)
class Delivered:
    """A message in a service's hands; what it says of it is an effect."""

    consumer: Consumer
    pending: Pending
    process: Process
    message: StoredMessage
    place: int
    """Its number among all that the durable ever delivered."""

    @property
    def subject(self) -> str:
        return self.message.subject

    @property
    def headers(self) -> Mapping[str, str]:
        return self.message.headers

    @property
    def data(self) -> bytes:
        return self.message.body

    @property
    def metadata(self) -> SimpleNamespace:
        return SimpleNamespace(
            sequence=SimpleNamespace(stream=self.pending.sequence, consumer=self.place),
            num_delivered=self.pending.attempt,
        )

    async def ack(self) -> None:
        await self._settle(f"acknowledge {self.pending.sequence}")

    async def ack_sync(self) -> None:
        await self.ack()

    async def term(self) -> None:
        await self._settle(f"give up {self.pending.sequence}")

    async def _settle(self, what: str) -> None:
        try:
            await self.process.effect(what, self._settled, _no_answer)
        except OSError:
            self.consumer.later(self.pending, _ACK_WAIT_S)
            raise

    async def nak(self, delay: float = 0.0) -> None:
        if self.process.dead or self.process.dying:
            return
        self.consumer.later(self.pending, delay)

    async def in_progress(self) -> None:
        """The server waits on."""

    async def _settled(self) -> None:
        self.consumer.pending.pop(self.pending.sequence, None)
