"""Making a failing history smaller, for whoever has to understand it."""

from collections.abc import Callable, Iterator

from support.simulation.history import History

_CHOICE = 2
"""Hexadecimal digits of a choice."""


def shrunk(history: History, fails: Callable[[History], bool]) -> History:
    """Return a history that still fails, and of which nothing can be left out at once."""
    while (smaller := next(filter(fails, _smaller(history)), None)) is not None:
        history = smaller
    return history


def _smaller(history: History) -> Iterator[History]:
    """Return the history without an act, without its troubles or without a stretch of its schedule."""
    for place in range(len(history.acts)):
        yield history.model_copy(update={"acts": history.acts[:place] + history.acts[place + 1 :]})
    if history.faults:
        yield history.model_copy(update={"faults": 0})
    schedule = history.schedule
    length = len(schedule) // _CHOICE
    while length:
        for start in range(0, len(schedule), length * _CHOICE):
            end = start + length * _CHOICE
            yield history.model_copy(update={"schedule": schedule[:start] + schedule[end:]})
            if schedule[start:end].strip("0"):
                zeros = "0" * len(schedule[start:end])
                yield history.model_copy(update={"schedule": (schedule[:start] + zeros + schedule[end:])})
        length //= 2
