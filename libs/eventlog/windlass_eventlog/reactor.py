"""What a reactor is: something that is woken up by events, looks at its rows, and does what they ask for.

A wake-up carries no state. It may come twice, late or out of order; the handler runs once its service's rows have
reached the event, one at a time for each aggregate, and decides from the rows alone.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

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

    The handler may take as long as it needs: the log is told that it is still at work. It raises `TryAgain` to be
    woken up again after a delay; any other error is logged, and tried again with growing delays, a bounded number
    of times.
    """

    name: str
    wakes_on: frozenset[type[Event]]
    handle: Callable[[WakeUp], Awaitable[None]]
