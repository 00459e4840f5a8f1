"""When a container loops: it ends again and again soon after its start.

The engine starts it again later and later, up to a minute after the exit. From the fifth exit in a row on, exits and
starts are no news any more; how often it ended is told sparsely, so that no app can fill the log by crashing. It is
steady again once it has run twice as long as it lived lately.
"""

from dataclasses import dataclass
from datetime import timedelta

SOON = timedelta(minutes=10)
"""An end within this time of the start is one in a row; after a longer life the row begins anew."""
MANY = 5
"""So many exits in a row are a loop."""
LEAST_STEADY = timedelta(minutes=1)
_SPARSE = 80
"""Told at 5, 10, 20, 40 and 80 exits, and then each time after as many again: about once an hour at a minute each."""


@dataclass(frozen=True, slots=True)
class Lives:
    """How often in a row a container ended soon, and how long it lived the last times."""

    exits: int = 0
    latest: tuple[timedelta, ...] = ()

    def after(self, life: timedelta) -> "Lives":
        """Return what is known after one more life."""
        if life >= (self.steady_after if self.looping else SOON):
            return Lives()
        return Lives(self.exits + 1, (*self.latest, life)[-MANY:])

    @property
    def looping(self) -> bool:
        return self.exits >= MANY

    @property
    def steady_after(self) -> timedelta:
        """How long it has to run until it is believed to run on."""
        return min(max((LEAST_STEADY, *(2 * life for life in self.latest))), SOON)


def is_told(exits: int) -> bool:
    """Return whether that many exits in a row are worth an event of their own."""
    if exits >= _SPARSE:
        return exits % _SPARSE == 0
    doublings, rest = divmod(exits, MANY)
    return rest == 0 and doublings.bit_count() == 1


def is_replaced(exits: int) -> bool:
    """Return whether the container gives way to a fresh one then: it may be what it left behind that ends it."""
    return exits > MANY and is_told(exits)
