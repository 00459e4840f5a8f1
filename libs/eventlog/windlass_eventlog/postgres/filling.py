"""Rows filled from the log up to one sequence, beside everything else that the process does."""

import asyncio
from collections.abc import Awaitable, Callable, Container
from contextlib import aclosing
from dataclasses import dataclass

from windlass_eventlog.log import EventLog
from windlass_eventlog.message import StoredMessage
from windlass_eventlog.postgres import checkpoint
from windlass_eventlog.postgres.database import Database
from windlass_eventlog.postgres.layout import Layout
from windlass_eventlog.postgres.reading import read
from windlass_eventlog.postgres.row_writer import RowWriter

OnProgress = Callable[[int, int], Awaitable[None]]
"""Told now and then how many events were read, of how many."""

_AT_ONCE_EVENTS = 20_000
_AT_ONCE_ROWS = 5_000
_SLICE = 200
"""Events that are folded without letting anybody else have a turn: some 5 ms."""


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
        async with aclosing(self.log.stretches(self.writer.position)) as stretches:
            async for stretch in stretches:
                await self._take([message for message in stretch.messages if message.sequence <= end])
                if self.writer.position >= end or self._is_much():
                    await self.writer.write()
                    await self.on_progress(self.writer.position, end)
                if self.writer.position >= end:
                    return

    async def _take(self, messages: list[StoredMessage]) -> None:
        for first in range(0, len(messages), _SLICE):
            part = messages[first : first + _SLICE]
            reading = read(part, self.quarantined, self.writer.layout.about)
            self.events += len(reading.events)
            stop = await self.writer.fold(reading)
            if stop is not None:
                raise stop.told(self.writer.layout.service) from stop.error
            await asyncio.sleep(0)

    def _is_much(self) -> bool:
        return self.writer.unwritten_events > _AT_ONCE_EVENTS or self.writer.unwritten_rows > _AT_ONCE_ROWS
