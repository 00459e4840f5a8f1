"""Wake-ups attended to: what fails for good becomes a dead letter, and everything else about the event goes on."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import structlog
from structlog.typing import EventDict

from support.eventlog_samples import NOON, TALLIES, canceled, deployment_key
from windlass_contracts.cloudevent import Proposed
from windlass_contracts.event import Event
from windlass_contracts.events import DeploymentCanceled, ReactionAbandoned, ReactionRecovered
from windlass_contracts.ids import EventId, derived
from windlass_contracts.subjects import Aggregate, AggregateKey, Service
from windlass_eventlog import attending as attending_module
from windlass_eventlog.appender import Appender
from windlass_eventlog.attending import Attending
from windlass_eventlog.dead_letters.letter import DEAD_LETTERS, DeadLetter, decide_discard, decide_retry
from windlass_eventlog.dead_letters.letters import Letters
from windlass_eventlog.dead_letters.unsettled import MemoryUnsettled
from windlass_eventlog.errors import LogFullError, TryAgain
from windlass_eventlog.log import Expected
from windlass_eventlog.memory import MemoryLog, MemoryRows
from windlass_eventlog.projection import Versioned
from windlass_eventlog.reaction import Handled, Postponed, Reaction
from windlass_eventlog.reactor import Reactor, WakeUp

CANCELED = frozenset({DeploymentCanceled})
Handler = Callable[[WakeUp], Awaitable[None]]


@pytest.fixture(autouse=True)
def said() -> Iterator[list[EventDict]]:
    with structlog.testing.capture_logs() as entries:
        yield entries


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


async def test_only_the_reactor_that_failed_is_given_up_and_no_other_is_repeated() -> None:
    handlers = Handlers("bad")
    told = story(handlers, "first", "bad", "last")
    await told.settle(await told.cancel())

    assert handlers.calls.count("first") == handlers.calls.count("last") == 1
    assert handlers.calls.count("bad") == attending_module.TRIES
    letter = (await told.letter()).row
    assert (letter.reactor, letter.sequence, letter.attempts) == ("bad", 1, attending_module.TRIES)
    assert (letter.service, letter.error, letter.status) == (Service.BUILDER, "ArithmeticError", "open")
    assert letter.event == told.log.at(1).metadata.id
    assert "a secret" not in letter.model_dump_json()


async def test_a_wake_up_that_comes_again_after_it_was_given_up_makes_no_second_dead_letter() -> None:
    handlers = Handlers("bad")
    told = story(handlers, "bad")
    sequence = await told.cancel()
    await told.settle(sequence)
    tried = len(handlers.calls)

    told.attending = told.process()  # it died after the append, and before the acknowledgement
    assert isinstance(await told.attending.to(WakeUp(told.log.at(sequence), 31)), Handled)
    told.attending = told.process()  # its consumer was made anew, and counts from 1 again
    assert isinstance(await told.attending.to(WakeUp(told.log.at(sequence), 1)), Handled)

    assert len(handlers.calls) == tried
    assert len(told.told(ReactionAbandoned)) == 1


async def test_a_retry_runs_the_one_reactor_on_the_event_and_recovers() -> None:
    handlers = Handlers("bad")
    told = story(handlers, "good", "bad")
    await told.settle(await told.cancel())
    handlers.broken.clear()
    handlers.calls.clear()

    wish = await told.decide(decide_retry((await told.letter()).row))
    await told.settle(wish)
    await told.settle(wish)  # it comes twice

    assert handlers.calls == ["bad"]
    assert len(told.told(ReactionRecovered)) == 1
    assert (await told.letter()).row.status == "recovered"


async def test_a_retry_that_fails_as_often_is_given_up_again_and_can_be_discarded() -> None:
    handlers = Handlers("bad")
    told = story(handlers, "bad")
    await told.settle(await told.cancel())
    await told.settle(await told.decide(decide_retry((await told.letter()).row)))

    letter = (await told.letter()).row
    assert (letter.status, letter.rounds) == ("open", 2)
    assert len(handlers.calls) == 2 * attending_module.TRIES

    await told.decide(decide_discard(letter, derived("why")))
    assert (await told.letter()).row.status == "discarded"


async def test_a_retry_that_was_discarded_meanwhile_does_nothing() -> None:
    handlers = Handlers("bad")
    told = story(handlers, "bad")
    await told.settle(await told.cancel())
    wish = await told.decide(decide_retry((await told.letter()).row))
    await told.decide(decide_discard((await told.letter()).row, derived("why")))
    tried = len(handlers.calls)
    await told.settle(wish)

    assert len(handlers.calls) == tried
    assert (await told.letter()).row.status == "discarded"


async def test_the_retry_of_a_reactor_that_this_release_does_not_have_is_given_up_at_once_and_says_so() -> None:
    handlers = Handlers("bad")
    told = story(handlers, "bad")
    await told.settle(await told.cancel())
    told.handlers = {}
    told.attending = told.process()
    assert await told.settle(await told.decide(decide_retry((await told.letter()).row))) == 1

    letter = (await told.letter()).row
    assert (letter.status, letter.attempts) == ("open", 1)
    assert letter.error == "windlass_eventlog.errors.ReactorMissingError"


async def test_the_retry_of_another_services_reaction_is_left_to_it() -> None:
    handlers = Handlers("bad")
    told = story(handlers, "bad")
    await told.settle(await told.cancel())
    wish = await told.decide(decide_retry((await told.letter()).row))
    other = Letters(Service.ROUTER, told.rows, Appender(told.log, Service.ROUTER, lambda: NOON))

    assert await other.wanted(told.log.at(wish)) is None


async def test_a_handler_that_hangs_is_broken_off_and_given_up() -> None:
    async def hang(_wake: WakeUp) -> None:
        await asyncio.Event().wait()

    told = Story({"hanging": hang}, within=timedelta(milliseconds=1))
    await told.settle(await told.cancel())

    assert (await told.letter()).row.error == "windlass_eventlog.errors.HungError"


async def test_a_handlers_own_timeout_is_a_failure_like_any_other() -> None:
    async def impatient(_wake: WakeUp) -> None:
        raise TimeoutError

    told = Story({"impatient": impatient})
    await told.settle(await told.cancel())

    assert (await told.letter()).row.attempts == attending_module.TRIES


class KilledError(BaseException):
    """The process dies here."""


class Mortal(MemoryUnsettled):
    """Counts for a process that may die: the dead end nothing."""

    dead = False

    async def end(self, sequence: int, reactor: str) -> None:
        if not self.dead:
            await super().end(sequence, reactor)


async def delivered_until_done(told: Story, sequence: int) -> None:
    """Deliver a wake-up, each time to another process, until one of them is done with it."""
    for attempt in range(1, 100):
        told.unsettled.dead, told.attending = False, told.process()  # type: ignore[attr-defined]
        try:
            outcome = await told.attending.to(WakeUp(told.log.at(sequence), attempt))
        except KilledError:
            continue
        if isinstance(outcome, Handled):
            return
    raise AssertionError


async def test_a_wake_up_on_which_the_process_dies_again_and_again_is_given_up() -> None:
    mortal, calls = Mortal(), list[int]()

    async def die(wake: WakeUp) -> None:
        calls.append(wake.recorded.sequence)
        if wake.recorded.sequence == 1:
            mortal.dead = True
            raise KilledError

    told = Story({"deadly": die}, unsettled=mortal)
    await told.cancel()
    await told.cancel()
    await delivered_until_done(told, 1)

    # The first delivery is not counted: nobody had begun with it before.
    assert calls == [1] * (attending_module.DEATHS + 1)
    letter = (await told.letter()).row
    assert (letter.error, letter.attempts) == ("windlass_eventlog.errors.ProcessDiedError", attending_module.DEATHS)
    assert await told.settle(2) == 1


async def test_a_process_that_dies_only_after_a_postponement_is_counted_too() -> None:
    mortal, calls = Mortal(), list[int]()

    async def die(wake: WakeUp) -> None:
        calls.append(wake.attempt)
        if wake.attempt % 2 == 0:
            mortal.dead = True
            raise KilledError
        raise TryAgain(timedelta(seconds=1), "not yet")

    told = Story({"deadly": die}, unsettled=mortal)
    sequence = await told.cancel()
    for attempt in range(1, 100):
        if mortal.dead:
            mortal.dead, told.attending = False, told.process()
        told.now += 1
        try:
            if isinstance(await told.attending.to(WakeUp(told.log.at(sequence), attempt)), Handled):
                break
        except KilledError:
            continue

    assert (await told.letter()).row.error == "windlass_eventlog.errors.ProcessDiedError"


async def test_restarts_in_order_and_postponements_are_no_deaths() -> None:
    async def wait(_wake: WakeUp) -> None:
        raise TryAgain(timedelta(seconds=1), "not yet")

    told = Story({"patient": wait})
    sequence = await told.cancel()
    for attempt in range(1, 3 * attending_module.DEATHS):
        told.attending = told.process()
        assert isinstance(await told.attending.to(WakeUp(told.log.at(sequence), attempt)), Postponed)

    assert told.told(ReactionAbandoned) == []


async def test_what_failed_waits_its_own_delay_though_another_reactor_wants_to_come_again_at_once() -> None:
    calls: list[str] = []

    async def eager(_wake: WakeUp) -> None:
        calls.append("eager")
        raise TryAgain(timedelta(milliseconds=1), "soon")

    async def fail(_wake: WakeUp) -> None:
        calls.append("failing")
        raise ArithmeticError

    told = Story({"eager": eager, "failing": fail})
    sequence = await told.cancel()
    for attempt in range(1, 100):
        outcome = await told.attending.to(WakeUp(told.log.at(sequence), attempt))
        assert isinstance(outcome, Postponed)
        told.now += 0.001

    assert (calls.count("eager"), calls.count("failing")) == (99, 1)


@dataclass
class RefusingLog(MemoryLog):
    """Takes nothing while it refuses."""

    refusal: Exception | None = None

    async def append(self, proposed: Proposed[Event], expected: Expected) -> int:
        if self.refusal is not None:
            raise self.refusal
        return await super().append(proposed, expected)


@pytest.mark.parametrize("refusal", [LogFullError("full"), RuntimeError("a mistake of ours")])
async def test_a_wake_up_stays_for_as_long_as_its_dead_letter_cannot_be_appended(refusal: Exception) -> None:
    log, handlers = RefusingLog(), Handlers("bad")
    told = Story({"bad": handlers.named("bad")}, log=log)
    sequence = await told.cancel()
    log.refusal = refusal
    for attempt in range(1, attending_module.TRIES + 5):
        outcome = await told.attending.to(WakeUp(log.at(sequence), attempt))
        assert isinstance(outcome, Postponed)
        told.now += outcome.delay.total_seconds()
    assert log.length == 1
    log.refusal = None

    assert await told.settle(sequence) == 1
    assert (await told.letter()).row.status == "open"
