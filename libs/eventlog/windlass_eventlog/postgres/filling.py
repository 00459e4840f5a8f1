"""Rows filled from the log up to one sequence, beside everything else that the process does."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Container, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass

from windlass_eventlog.log import EventLog
from windlass_eventlog.message import StoredMessage
from windlass_eventlog.postgres import checkpoint
from windlass_eventlog.postgres.database import Database
from windlass_eventlog.postgres.layout import Layout
from windlass_eventlog.postgres.reading import Reading, read
from windlass_eventlog.postgres.row_writer import RowWriter

OnProgress = Callable[[int, int], Awaitable[None]]
"""Told now and then how many events were read, of how many."""

_AT_ONCE_EVENTS = 20_000
_AT_ONCE_ROWS = 5_000
_NEW_OBJECTS = 50_000
"""So many objects more than before, some 5 MiB, have the collector look; 700 without saying so."""
_SLICE = 200
"""Events that are folded without letting anybody else have a turn: some 5 ms."""


@contextmanager
def _collecting_rarely() -> Iterator[None]:
    """Look for garbage that refers to itself less often: the rows in memory are none, and make each look take long."""
    before = gc.get_threshold()
    gc.set_threshold(_NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


async def nobody_listens(_done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class Filling:
    """A schema that is being filled."""

    log: EventLog
    quarantined: Container[int]
    on_progress: OnProgress
    writer: RowWriter
    events: int = 0

    @classmethod
    async def begun(
        cls, log: EventLog, database: Database, layout: Layout, quarantined: Container[int], on_progress: OnProgress
    ) -> "Filling":
        """Make the schema, empty."""
        created = await log.created()
        await database.ask(lambda session: checkpoint.create(session, layout))
        await database.ask(lambda session: checkpoint.bind(session, layout, created))
        return cls(log, quarantined, on_progress, await RowWriter.opened(database, layout))

    async def up_to(self, end: int) -> None:
        """Fill the rows up to exactly that sequence.

        Raises:
            HaltedError: an event can neither be read nor is it on the quarantine list.
            GapError: the log has not what it should.
        """
        if self.writer.position >= end:
            return
        with _collecting_rarely():
            await self._read_up_to(end)

    async def _read_up_to(self, end: int) -> None:
        async with aclosing(self.log.stretches(self.writer.position)) as stretches:
            async for stretch in stretches:
                await self._take([message for message in stretch.messages if message.sequence <= end])
                if self.writer.position >= end or self._is_much():
                    await self.writer.write()
                    await self.on_progress(self.writer.position, end)
                if self.writer.position >= end:
                    return

    async def _take(self, messages: list[StoredMessage]) -> None:
        parts = []
        for first in range(0, len(messages), _SLICE):
            parts.append(read(messages[first : first + _SLICE], self.quarantined, self.writer.layout.about))
            if parts[-1].stop is not None:
                break
            await asyncio.sleep(0)
        reading = Reading([event for part in parts for event in part.events], parts[-1].end, parts[-1].stop)
        self.events += len(reading.events)
        stop = await self.writer.fold(reading)
        if stop is not None:
            raise stop.told(self.writer.layout.service) from stop.error

    def _is_much(self) -> bool:
        return self.writer.unwritten_events > _AT_ONCE_EVENTS or self.writer.unwritten_rows > _AT_ONCE_ROWS
