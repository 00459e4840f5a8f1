"""A service over a log in memory that attends to wake-ups."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from support.eventlog_samples import NOON, TALLIES, canceled, deployment_key
from windlass_contracts.event import Event
from windlass_contracts.events import DeploymentCanceled
from windlass_contracts.ids import EventId, derived
from windlass_contracts.subjects import Aggregate, AggregateKey, Service
from windlass_eventlog.appender import Appender
from windlass_eventlog.attending import Attending
from windlass_eventlog.dead_letters.letter import DEAD_LETTERS, DeadLetter
from windlass_eventlog.dead_letters.letters import Letters
from windlass_eventlog.dead_letters.unsettled import MemoryUnsettled
from windlass_eventlog.log import Expected
from windlass_eventlog.memory import MemoryLog, MemoryRows
from windlass_eventlog.projection import Versioned
from windlass_eventlog.reaction import Handled, Reaction
from windlass_eventlog.reactor import Reactor, WakeUp

CANCELED = frozenset({DeploymentCanceled})
Handler = Callable[[WakeUp], Awaitable[None]]


@dataclass
class Story:
    """One service over a log in memory. Its processes come and go; what they count on dying stays."""

    handlers: dict[str, Handler]
    within: timedelta = timedelta(hours=1)
    log: MemoryLog = field(default_factory=MemoryLog)
    unsettled: MemoryUnsettled = field(default_factory=MemoryUnsettled)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.rows = MemoryRows(self.log, [TALLIES, DEAD_LETTERS])
        self.attending = self.process()

    def process(self) -> Attending:
        """Return what a new process of the service works with."""
        reactors = [Reactor(name, CANCELED, handle, self.within) for name, handle in self.handlers.items()]
        letters = Letters(Service.BUILDER, self.rows, Appender(self.log, Service.BUILDER, lambda: NOON))
        reaction = Reaction(self.log, self.rows, reactors)
        return Attending(reaction, letters, self.unsettled, self.log.length, lambda: self.now)

    async def cancel(self, key: AggregateKey | None = None) -> int:
        return await self.log.append(canceled(key or deployment_key()), Expected(">", self.log.length))

    async def settle(self, sequence: int) -> int:
        """Deliver a wake-up until it is done with; return how often."""
        for attempt in range(1, 200):
            outcome = await self.attending.to(WakeUp(self.log.at(sequence), attempt))
            if isinstance(outcome, Handled):
                return attempt
            self.now += outcome.delay.total_seconds()
        raise AssertionError

    async def letter(self) -> Versioned[DeadLetter]:
        (found,) = await self.rows.find(DEAD_LETTERS, {})
        return found

    async def decide(self, event: Event) -> int:
        """Append what an operator decided about the one dead letter."""
        found = await self.letter()
        key = AggregateKey(found.row.team, None, Aggregate.REACTION, found.key)
        append = Appender(self.log, Service.GATEWAY, lambda: NOON)
        identity = EventId(derived("wish", str(self.log.length)))
        return await append.commanded(key, event, Expected.at(key, found.sequence), actor="token:test", id=identity)

    def told(self, kind: type[Event]) -> list[Event]:
        events = [self.log.at(sequence).event for sequence in range(1, self.log.length + 1)]
        return [event for event in events if isinstance(event, kind)]


class Handlers:
    """Handlers that note their calls; `broken` ones fail."""

    def __init__(self, *broken: str) -> None:
        self.broken = set(broken)
        self.calls: list[str] = []

    def named(self, name: str) -> Handler:
        async def handle(wake: WakeUp) -> None:
            self.calls.append(name)
            assert isinstance(wake.recorded.event, DeploymentCanceled)
            if name in self.broken:
                raise ArithmeticError("a secret")

        return handle


def story(handlers: Handlers, *names: str) -> Story:
    return Story({name: handlers.named(name) for name in names})
