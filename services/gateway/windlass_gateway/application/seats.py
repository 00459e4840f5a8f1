"""Who sits before which command: one at a time, for each key that is pressed goes to the command once."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Seats:
    """The seats that are taken in this process; whoever comes later takes the seat."""

    _taken: dict[UUID, asyncio.Event] = field(default_factory=dict)

    @contextmanager
    def take(self, run: UUID) -> Iterator[asyncio.Event]:
        """Give an event that is set when somebody else takes the seat."""
        if (other := self._taken.get(run)) is not None:
            other.set()
        lost = self._taken[run] = asyncio.Event()
        try:
            yield lost
        finally:
            if self._taken.get(run) is lost:
                del self._taken[run]
