"""Running histories: one, many, or as many as it takes."""

import gc
import logging
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import structlog

from support.simulation.history import History
from support.simulation.invariants import Violation
from support.simulation.planted import Bug
from support.simulation.services import Wiring
from support.simulation.shrinking import shrunk
from support.simulation.story import Story
from support.simulation.strategies import Chance, by_seed, chosen
from support.simulation.world import World

SHOWN_LINES = 400
_COLLECTED_AFTER = 40
_MOST_TRIES = 300


class FoundError(AssertionError):
    """A history ends in a violation; the message is the whole story, and how to keep it."""

    def __init__(self, violation: Violation, story: Story, history: History) -> None:
        told = "\n".join(str(story).splitlines()[-SHOWN_LINES:])
        super().__init__(
            f"{violation}\n\n{told}\n\n{violation}\n"
            f"To keep it, write this to tests/simulation/stories/NAME.json:\n{history.written()}"
        )
        self.violation = violation
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


def explore(
    scratch: Path, numbers: Iterable[int], *, bug: Bug | None = None, kind: Callable[[Chance], History] = chosen
) -> Explored:
    """Run the histories of these numbers, with a bug if one is given; stop at the first violation, and shrink it.

    Of a bug only that counts which it is known to break, in a history that ends well without it.
    """
    count = 0
    with quiet(), _rarely_collecting() as collect:
        for number in numbers:
            count += 1
            history = by_seed(number, kind)
            error = _found(history, scratch, bug)
            if error is not None and (bug is None or _is_its_doing(bug, error, history, scratch)):
                smaller = history if bug is not None else _shrunk(error, scratch)
                return Explored(count, str(_found(smaller, scratch, bug)), smaller)
            if count % _COLLECTED_AFTER == 0:
                collect()
    return Explored(count, None)


def _is_its_doing(bug: Bug, error: FoundError, history: History, scratch: Path) -> bool:
    return str(error).startswith(bug.breaks) and _found(history, scratch) is None


def _found(history: History, scratch: Path, bug: Bug | None = None) -> FoundError | None:
    try:
        with nullcontext() if bug is None else bug.planted():
            run(history, scratch, None if bug is None else bug.wiring)
    except FoundError as error:
        return error
    return None


def _shrunk(error: FoundError, scratch: Path) -> History:
    def fails(history: History) -> bool:
        smaller = _found(history, scratch)
        return smaller is not None and smaller.violation.invariant == error.violation.invariant

    return shrunk(error.history, fails, _MOST_TRIES)


@contextmanager
def _rarely_collecting() -> Iterator[Callable[[], int]]:
    """Look for garbage after some histories instead of all the time, which takes a quarter of it."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield gc.collect
    finally:
        gc.enable()
        gc.unfreeze()
