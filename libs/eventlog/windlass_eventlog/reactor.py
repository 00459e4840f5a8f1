"""What a reactor is: something that is woken up by events, looks at its rows, and does what they ask for.

A wake-up carries no state. It may come twice, late or out of order; the handler runs once its service's rows have
reached the event, one at a time for each aggregate, and decides from the rows alone.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event


@dataclass(frozen=True, slots=True)
class WakeUp:
    """Something happened to an aggregate."""

    recorded: Recorded[Event]
    attempt: int


@dataclass(frozen=True, slots=True)
class Reactor:
    """A handler and the types of event that wake it up.

    The handler may take long: the log is told that it is still at work. It raises `TryAgain` to be woken up again after
    a delay; any other error is logged, and tried again with growing delays, a bounded number of times. One that is not
    back `within` its time hangs, and keeps all else about its aggregate waiting: it is broken off, and given up.
    """

    name: str
    wakes_on: frozenset[type[Event]]
    handle: Callable[[WakeUp], Awaitable[None]]
    within: timedelta = timedelta(hours=1)
