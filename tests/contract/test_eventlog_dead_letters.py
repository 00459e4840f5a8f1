"""Wake-ups attended to: what fails for good becomes a dead letter, and everything else about the event goes on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import structlog
from structlog.typing import EventDict

from support.attended import Handlers, Story, story
from support.eventlog_samples import NOON
from windlass_contracts.cloudevent import Proposed
from windlass_contracts.event import Event
from windlass_contracts.events import ReactionAbandoned, ReactionRecovered
from windlass_contracts.ids import derived
from windlass_contracts.subjects import Service
from windlass_eventlog import attending as attending_module
from windlass_eventlog.appender import Appender
from windlass_eventlog.dead_letters.letter import decide_discard, decide_retry
from windlass_eventlog.dead_letters.letters import Letters
from windlass_eventlog.errors import LogFullError, TryAgain
from windlass_eventlog.log import Expected
from windlass_eventlog.memory import MemoryLog
from windlass_eventlog.reaction import Handled, Postponed
from windlass_eventlog.reactor import WakeUp


@pytest.fixture(autouse=True)
def said() -> Iterator[list[EventDict]]:
    with structlog.testing.capture_logs() as entries:
        yield entries


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
