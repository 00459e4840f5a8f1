"""How far somebody read the log, and how others wait for it."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from windlass_eventlog.errors import HaltedError, NotReachedError


@dataclass(slots=True)
class Progress:
    """The sequence up to which the rows hold what the log says, and why they stand still, if they do.

    Until the rows were looked at (`known`) nothing is reached, not even the beginning: they may be another log's.
    """

    position: int = 0
    halted: HaltedError | None = None
    known: bool = False
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def move(self, position: int) -> None:
        async with self._changed:
            self.position, self.known = position, True
            self._changed.notify_all()

    async def halt(self, why: HaltedError) -> None:
        async with self._changed:
            self.halted = why
            self._changed.notify_all()

    async def passed(self, sequence: int) -> None:
        """Wait until the position is `sequence` or more, as long as that takes, through every halt."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._is_past(sequence))

    async def resume(self) -> None:
        """Hear that what made the rows stand still is out of the way."""
        async with self._changed:
            self.halted = None

    async def reached(self, sequence: int, patience: timedelta | None) -> None:
        """Wait until the position is `sequence` or more; without `patience` as long as it takes.

        Raises:
            NotReachedError, HaltedError: as `Rows.reached`.
        """
        if self._is_past(sequence):
            return
        try:
            async with asyncio.timeout(None if patience is None else patience.total_seconds()), self._changed:
                await self._changed.wait_for(lambda: self._is_past(sequence) or self.halted is not None)
        except TimeoutError:
            msg = f"The rows stand at {self.position} and did not reach {sequence} within {patience}."
            raise NotReachedError(msg) from None
        if not self._is_past(sequence) and self.halted is not None:
            raise self.halted.with_traceback(None)  # many raise it: it is not to remember all of them

    def _is_past(self, sequence: int) -> bool:
        return self.known and self.position >= sequence
