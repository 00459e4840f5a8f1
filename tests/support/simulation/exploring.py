"""Running histories: one, many, or as many as it takes."""

import logging
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import structlog
from hypothesis import HealthCheck, Phase, given, seed, settings

from support.simulation.history import History
from support.simulation.invariants import Violation
from support.simulation.planted import Bug
from support.simulation.services import Wiring
from support.simulation.story import Story
from support.simulation.strategies import histories
from support.simulation.world import World

SHOWN_LINES = 400


class FoundError(AssertionError):
    """A history ends in a violation; the message is the whole story, and how to keep it."""

    def __init__(self, violation: Violation, story: Story, history: History) -> None:
        told = "\n".join(str(story).splitlines()[-SHOWN_LINES:])
        super().__init__(
            f"{violation}\n\n{told}\n\n{violation}\n"
            f"To keep it, write this to tests/simulation/stories/NAME.json:\n{history.written()}"
        )
        self.history = history


@dataclass(frozen=True, slots=True)
class Explored:
    """How many histories were run until the first that violates something, and what that was."""

    histories: int
    found: str | None
    by: History | None = None


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the services' own logs out of the way: thousands of lives write thousands of lines."""
    before = structlog.get_config()
    structlog.configure(
        processors=[_drop],
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**before)


def _drop(_logger: object, _name: str, _event: MutableMapping[str, Any]) -> NoReturn:
    raise structlog.DropEvent


def run(history: History, scratch: Path, wiring: Wiring | None = None) -> None:
    """Run one history.

    Raises:
        FoundError: it violates an invariant.
    """
    world = World(history, scratch, wiring or Wiring())
    violation = world.run()
    if violation is not None:
        raise FoundError(violation, world.story, history)


def explore(scratch: Path, most: int, *, chance: int = 0, bug: Bug | None = None) -> Explored:
    """Run that many histories, with a bug if one is given; stop at the first violation. `chance` makes them others."""
    count = 0

    @seed(chance)
    @settings(
        max_examples=most,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(histories())
    def each(history: History) -> None:
        nonlocal count
        count += 1
        if bug is None:
            run(history, scratch)
            return
        try:
            with bug.planted():
                run(history, scratch, bug.wiring)
        except FoundError:
            if World(history, scratch).run() is None:  # what it finds without the bug, too, says nothing about it
                raise

    with quiet():
        try:
            each()
        except FoundError as error:
            return Explored(count, str(error), error.history)
    return Explored(count, None)
