"""Keeps the rows as far as the log is: reads in order, and writes at once what is there, with the checkpoint."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import NoReturn

import structlog

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.errors import ContractError
from windlass_contracts.event import Event
from windlass_contracts.subjects import STREAM
from windlass_eventlog.background import background
from windlass_eventlog.errors import GapError, HaltedError, RowsUnavailableError
from windlass_eventlog.log import EventLog
from windlass_eventlog.postgres import checkpoint
from windlass_eventlog.postgres.batch import Batch, FenceError
from windlass_eventlog.postgres.database import UNAVAILABLE, Database
from windlass_eventlog.postgres.layout import Layout
from windlass_eventlog.postgres.row_cache import RowCache
from windlass_eventlog.progress import Progress

_LARGEST_BATCH = 2_000
_READ_AHEAD = 2 * _LARGEST_BATCH
_UNWRITTEN = 1_000
"""Events that touch no row move the checkpoint this late: reading a few of them again costs less than writing."""
_TRY_AGAIN_AFTER_S = 0.2
_TRIES = 3
"""How often an event is tried to be applied before the rows halt."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """The event at this sequence cannot be read."""

    sequence: int
    error: ContractError


class _UnappliedError(Exception):
    """An event could not be applied, and it is not PostgreSQL that was away."""

    def __init__(self, sequence: int, error: Exception) -> None:
        super().__init__(f"sequence {sequence}: {type(error).__name__}: {error}")
        self.sequence = sequence
        self.error = error


_Read = Recorded[Event] | _Unreadable


@dataclass(slots=True)
class ProjectionRunner:
    """One service's projections. A second runner on the same database does no harm: the checkpoint fences it."""

    log: EventLog
    database: Database
    layout: Layout
    progress: Progress
    cache: RowCache
    _stored: int = 0

    async def prepare(self) -> None:
        """Make the schema where it is missing, and take up the checkpoint.

        Raises:
            GapError: the rows are ahead of the log.
        """
        await self.database.ask(lambda session: checkpoint.create(session, self.layout))
        self._stored = await self.database.ask(lambda session: checkpoint.stored(session, self.layout))
        head = await self.log.head()
        if self._stored > head:
            msg = (
                f"The rows stand at sequence {self._stored}, but {STREAM} ends at {head}: it was restored from an older"
                f" backup, or is another installation's. Restore a newer one, or let the rows be built anew:"
                f" DROP SCHEMA {self.layout.schema} CASCADE"
            )
            raise GapError(msg)
        await self.progress.move(self._stored)

    async def run(self) -> NoReturn:
        """Follow the log for ever.

        Raises:
            GapError, NotProvisionedError, PermissionDeniedError: the log cannot be read any more.
        """
        failed: list[int] = []
        while True:
            try:
                await self._follow()
            except (FenceError, RowsUnavailableError, _UnappliedError, *UNAVAILABLE) as error:
                _log.warning("rows.reading_again", position=self.progress.position, why=str(error) or repr(error))
                if isinstance(error, _UnappliedError):
                    failed.append(error.sequence)
                    if failed.count(error.sequence) == _TRIES:
                        await self._halt(error.sequence, error.error)
                await asyncio.sleep(_TRY_AGAIN_AFTER_S)

    async def tidy(self) -> None:
        """Drop the rows of other releases, once these here have caught up."""
        for name in await self.database.ask(lambda session: checkpoint.drop_others(session, self.layout)):
            _log.info("rows.dropped_old_schema", schema=name)

    async def _follow(self) -> NoReturn:
        await self._reload()
        queue: asyncio.Queue[_Read] = asyncio.Queue(_READ_AHEAD)
        async with background(self._read(queue)):
            while True:
                await self._apply_all(await _at_once(queue))

    async def _reload(self) -> None:
        """Take the checkpoint as it is. Where it went back, so did the rows."""
        stored = await self.database.ask(lambda session: checkpoint.stored(session, self.layout))
        self.cache.clear()
        if stored < self._stored or stored > self.progress.position:
            await self.progress.move(stored)
        self._stored = stored

    async def _read(self, queue: "asyncio.Queue[_Read]") -> None:
        last = self.progress.position
        try:
            async with aclosing(self.log.read(last)) as events:
                async for event in events:
                    last = event.sequence
                    await queue.put(event)
        except ContractError as error:
            await queue.put(_Unreadable(last + 1, error))

    async def _apply_all(self, read: Sequence[_Read]) -> None:
        if events := [one for one in read if isinstance(one, Recorded)]:
            await self._apply(events)
        for one in read:
            if isinstance(one, _Unreadable):
                await self._halt(one.sequence, one.error)

    async def _apply(self, events: Sequence[Recorded[Event]]) -> None:
        batch = Batch.of(self.layout, self._stored, events)
        if batch.touched or batch.end - self._stored > _UNWRITTEN:
            try:
                await self.database.once(batch.write)
            except FenceError:
                await self._apply_behind_another(events)
                return
            except UNAVAILABLE:
                raise
            except Exception as error:  # noqa: BLE001 - whatever a projection raises, one event is to blame
                await self._blame(events, error)
                return
            self.cache.forget(batch.touched)
            self._stored = batch.end
        await self.progress.move(batch.end)

    async def _apply_behind_another(self, events: Sequence[Recorded[Event]]) -> None:
        """Go on behind what a second runner wrote.

        Raises:
            FenceError: nobody wrote, the database went back: everything has to be read again.
        """
        before = self._stored
        await self._reload()
        if self._stored < before:
            raise FenceError
        if rest := [event for event in events if event.sequence > self._stored]:
            await self._apply(rest)

    async def _blame(self, events: Sequence[Recorded[Event]], error: Exception) -> None:
        """Apply all events before the one that cannot be applied.

        Raises:
            _UnappliedError: names that one.
        """
        if len(events) == 1:
            raise _UnappliedError(events[0].sequence, error) from error
        for event in events:
            await self._apply([event])

    async def _halt(self, sequence: int, error: Exception) -> NoReturn:
        """Stand still, loudly, until the service is started anew with a release that can go on."""
        why = HaltedError(self.layout.service, sequence, error)
        _log.error("rows.halted", stream=STREAM, sequence=sequence, exc_info=error)
        await self.progress.halt(why)
        await asyncio.Event().wait()
        raise why


async def _at_once(queue: "asyncio.Queue[_Read]") -> list[_Read]:
    """Return the next event as soon as it is there, and those that came with it."""
    read = [await queue.get()]
    while not queue.empty() and len(read) < _LARGEST_BATCH:
        read.append(queue.get_nowait())
    return read
