"""Keeps the rows as far as the log is: reads in order, and writes what was folded, with the checkpoint."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import NoReturn

import structlog

from windlass_contracts.cloudevent import TYPE_HEADER
from windlass_contracts.subjects import STREAM
from windlass_eventlog.errors import GapError, HaltedError, RowsUnavailableError
from windlass_eventlog.log import EventLog
from windlass_eventlog.message import StoredMessage, Stretch
from windlass_eventlog.postgres import checkpoint, leftovers
from windlass_eventlog.postgres.checkpoint import Checkpoint, FenceError
from windlass_eventlog.postgres.database import UNAVAILABLE, Database
from windlass_eventlog.postgres.layout import Layout
from windlass_eventlog.postgres.reading import Stop, read
from windlass_eventlog.postgres.row_cache import RowCache
from windlass_eventlog.postgres.row_writer import RowWriter
from windlass_eventlog.progress import Progress
from windlass_eventlog.quarantine import Quarantine

_NEAR = 1_000
AT_ONCE_EVENTS = 20_000
AT_ONCE_ROWS = 5_000
"""So many events or rows are written together while the rows are far behind the log; with fewer than _NEAR events
to come, whatever is there is written at once."""

_UNWRITTEN = 1_000
"""Events that touch no row move the checkpoint this late: reading a few of them again costs less than writing."""
_TRY_AGAIN_AFTER_S = 0.2
_TRIES = 3
"""How often PostgreSQL may refuse the rows of an event before they halt."""

_log = structlog.get_logger(__name__)


class _RefusedError(Exception):
    """PostgreSQL is there, and refuses what the events up to this sequence left behind."""

    def __init__(self, sequence: int, error: Exception) -> None:
        super().__init__(f"up to sequence {sequence}: {type(error).__name__}: {error}")
        self.sequence = sequence
        self.error = error


@dataclass(slots=True)
class ProjectionRunner:
    """One service's projections. A second runner on the same database does no harm: the checkpoint fences it."""

    log: EventLog
    database: Database
    layout: Layout
    progress: Progress
    cache: RowCache
    quarantine: Quarantine
    _writer: RowWriter = field(init=False)
    _stored: int = 0
    _one_by_one: int = 0
    """Up to this sequence each event is written by itself: one of them is to blame for a refusal."""
    _refusals: int = 0
    _again: asyncio.Event = field(default_factory=asyncio.Event)

    async def prepare(self) -> None:
        """Make the schema where it is missing."""
        await self.database.ask(lambda session: checkpoint.create(session, self.layout))
        created = await self.log.created()
        await self.database.ask(lambda session: checkpoint.bind(session, self.layout, created))

    async def run(self) -> NoReturn:
        """Follow the log for ever.

        Raises:
            GapError, NotProvisionedError, PermissionDeniedError: the log cannot be read any more.
        """
        while True:
            try:
                await self._follow_until_told()
            except (FenceError, RowsUnavailableError, _RefusedError, *UNAVAILABLE) as error:
                _log.warning("rows.reading_again", position=self.progress.position, why=str(error) or repr(error))
                await asyncio.sleep(_TRY_AGAIN_AFTER_S)

    def look_again(self) -> None:
        """Hear that somebody swapped the rows: what was read before is void, and what halted may be gone."""
        self._again.set()

    async def tidy(self) -> None:
        """Drop the rows of other releases, and what broken rebuilds left, once the rows here have caught up."""
        for name in await self.database.ask(lambda session: leftovers.drop_all(session, self.layout)):
            _log.info("rows.dropped_old_schema", schema=name)

    async def _follow_until_told(self) -> None:
        following, told = asyncio.ensure_future(self._follow()), asyncio.ensure_future(self._again.wait())
        try:
            await asyncio.wait({following, told}, return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                following.result()
            else:
                self._again.clear()
        finally:
            following.cancel()
            told.cancel()
            await asyncio.gather(following, told, return_exceptions=True)

    async def _follow(self) -> None:
        """Read and write until something that halted the rows is out of the way: then it is read again."""
        if not await self._take_up():
            await self._grown()
            return
        async with aclosing(self.log.stretches(self._writer.position)) as stretches:
            async for stretch in stretches:
                for part in self._parts(stretch):
                    if (stop := await self._apply(part)) is not None:
                        await self._halt(stop)
                        return

    def _parts(self, stretch: Stretch) -> list[Stretch]:
        if stretch.messages[0].sequence > self._one_by_one:
            return [stretch]
        return [Stretch([message], 0) for message in stretch.messages]

    async def _apply(self, stretch: Stretch) -> Stop | None:
        """Fold and write; where another runner wrote meanwhile, go on behind it.

        Raises:
            FenceError: the database went back: everything has to be read again.
        """
        while rest := [message for message in stretch.messages if message.sequence > self._writer.position]:
            try:
                return await self._take(rest, stretch.to_come)
            except FenceError:
                await self._reload()
                if self._writer.position + 1 < stretch.messages[0].sequence:
                    raise
        return None

    async def _take(self, messages: Sequence[StoredMessage], to_come: int) -> Stop | None:
        alone = len(messages) == 1 and not self._writer.unwritten_rows
        stop = await self._writer.fold(read(messages, self.quarantine, self.layout.about))
        try:
            if stop is not None or self._due(to_come):
                await self._write()
        except _RefusedError as refused:
            if not alone:
                self._one_by_one = refused.sequence
                raise
            self._refusals += 1
            if self._refusals < _TRIES:
                raise
            return Stop(refused.sequence, messages[0].headers.get(TYPE_HEADER, ""), refused.error)
        if not self._writer.unwritten_rows:
            await self.progress.move(self._writer.position)
        return stop

    def _due(self, to_come: int) -> bool:
        rows, events = self._writer.unwritten_rows, self._writer.unwritten_events
        if not rows:
            return events > _UNWRITTEN
        return to_come < _NEAR or rows > AT_ONCE_ROWS or events > AT_ONCE_EVENTS

    async def _write(self) -> None:
        try:
            written = await self._writer.write()
        except (FenceError, *UNAVAILABLE):
            raise
        except Exception as error:
            raise _RefusedError(self._writer.position, error) from error
        self._refusals = 0
        self._stored = self._writer.position
        self.cache.written(written)

    async def _take_up(self) -> bool:
        """Take the checkpoint as it is, and tell whether the rows are this log's. If not, they halt."""
        try:
            await self._reload()
        except GapError as error:
            why = HaltedError(self.layout.service, (await self._bound()).sequence, error)
            if self.progress.halted is None:
                about = {"service": self.layout.service, "stream": STREAM, "sequence": why.sequence}
                _log.error("rows.halted", why=str(why), way_out=why.way_out, **about)
            await self.progress.halt(why)
            return False
        await self.progress.resume()
        return True

    async def _grown(self) -> None:
        """Wait for the next event: by then, another process may have rebuilt the rows."""
        async with aclosing(self.log.stretches(await self.log.head())) as stretches:
            await anext(stretches)

    async def _reload(self) -> None:
        """Take the checkpoint as it is. Where it went back, so did the rows."""
        self._writer = await RowWriter.opened(self.database, self.layout)
        stored = self._writer.before
        await checkpoint.check_belongs(await self._bound(), self.layout, self.log)
        self.cache.clear()
        if not self.progress.known or stored.sequence < self._stored or stored.sequence > self.progress.position:
            await self.progress.move(stored.sequence)
        self._stored = stored.sequence
        self._writer.position = self.progress.position

    async def _bound(self) -> Checkpoint:
        """Return the checkpoint, or the one of another release's rows, as long as ours are made in their place."""
        if self._writer.before.sequence:
            return self._writer.before
        former = await self.database.ask(lambda session: checkpoint.former(session, self.layout))
        return self._writer.before if former is None else former

    async def _halt(self, stop: Stop) -> None:
        """Stand still, loudly, until an operator lets the event be passed over."""
        why = stop.told(self.layout.service)
        about = {"service": self.layout.service, "stream": STREAM, "sequence": stop.sequence, "type": stop.kind}
        _log.error("rows.halted", why=str(why), way_out=why.way_out, exc_info=stop.error, **about)
        await self.progress.halt(why)
        try:
            await self.quarantine.entered(stop.sequence)
        finally:
            await self.progress.resume()
        self._refusals = 0
        _log.warning("rows.quarantined_event_passed_over", **about)
