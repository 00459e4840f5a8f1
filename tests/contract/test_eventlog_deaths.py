"""Handlers that hang, and processes that die at a wake-up: both are counted, and given up at last."""

import asyncio
from datetime import timedelta

from support.attended import Story
from windlass_contracts.events import ReactionAbandoned
from windlass_eventlog import attending as attending_module
from windlass_eventlog.dead_letters.unsettled import MemoryUnsettled
from windlass_eventlog.errors import TryAgain
from windlass_eventlog.reaction import Handled, Postponed
from windlass_eventlog.reactor import WakeUp


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
