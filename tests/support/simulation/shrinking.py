"""Making a failing history smaller, for whoever has to understand it."""

from collections.abc import Callable, Iterator
from itertools import islice

from support.simulation.history import History

_CHOICE = 2
"""Hexadecimal digits of a choice."""


def shrunk(history: History, fails: Callable[[History], bool], most: int) -> History:
    """Return a smaller history that still fails, the smallest that so many tries find."""
    tries = 0
    while tries < most:
        for smaller in islice(_smaller(history), most - tries):
            tries += 1
            if fails(smaller):
                history = smaller
                break
        else:
            return history
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
