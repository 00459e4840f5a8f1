"""Writing the lines of one source: numbered, in batches, and again and again until they are stored."""

import asyncio
from types import TracebackType
from typing import Self

import stamina

from windlass_contracts.logs import FLUSH_AFTER_MS, MAX_LINES, LogBatch, LogLine
from windlass_eventlog.errors import LogUnavailableError
from windlass_eventlog.logs.batcher import Batcher
from windlass_eventlog.logs.intake import Intake
from windlass_eventlog.logs.port import Lines, LogStore, RawLine, SourceTakenError
from windlass_eventlog.logs.redaction import Redaction
from windlass_eventlog.logs.throttle import Rate

CLOSE_WITHIN_S = 5.0
TELL_OF_SUPPRESSED_AFTER_S = 1.0
_LONGEST_PAUSE_S = 2.0


class LogWriter:
    """Writes one source of one deployment's log for the time of an `async with` block.

    Numbering goes on behind what the source has stored already. What a source writes faster than its `rate` allows is
    left out, and a note says how many lines. While the store does not answer, a bounded number of lines is kept and
    `write` waits: whoever reads from an engine or a pipe then stops reading, and nothing is lost.
    """

    def __init__(
        self, store: LogStore, log: Lines, source: str, redaction: Redaction, *, rate: Rate | None = None
    ) -> None:
        self._store = store
        self._log = log
        self._source = source
        self._intake = Intake(redaction, rate or Rate())
        self._telling: asyncio.TimerHandle | None = None
        self._written = 0
        self._some = asyncio.Event()
        self._hurry = asyncio.Event()
        self._room = asyncio.Event()
        self._all_stored = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Find where the source ends.

        Raises:
            LogUnavailableError: the store did not answer in time.
        """
        last = await self._store.last(self._log, self._source)
        self._batcher = Batcher(self._source, 0 if last is None else last.first + len(last.lines))
        self._room.set()
        self._all_stored.set()
        self._storing = asyncio.create_task(self._store_all(), name=f"store lines of {self._source}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Store what was written.

        Raises:
            LogUnavailableError: the last lines could not be stored in time.
            SourceTakenError: somebody else writes this source.
        """
        self._tell_of_suppressed()
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self.flush()
        except TimeoutError:
            raise LogUnavailableError(f"The last lines of {self._source} could not be stored: no answer.") from error
        finally:
            self._storing.cancel()
            await asyncio.wait({self._storing})

    @property
    def next_line(self) -> int:
        """The number that the next line gets."""
        return self._batcher.next_line

    async def write(self, line: RawLine) -> None:
        """Take a line; it is stored within some 50 ms, together with others. Waits while too many lines wait.

        Raises:
            SourceTakenError: somebody else writes this source; this and all further lines are refused.
        """
        await self._until(self._room)
        await self._let_others_run()
        for accepted in self._intake.accept(line):
            self._add(accepted)
        if self._intake.has_suppressed and self._telling is None:
            loop = asyncio.get_running_loop()
            self._telling = loop.call_later(TELL_OF_SUPPRESSED_AFTER_S, self._tell_of_suppressed)

    async def flush(self) -> None:
        """Return once everything written so far is stored.

        Raises:
            SourceTakenError: somebody else writes this source.
        """
        self._hurry.set()
        await self._until(self._all_stored)

    def _add(self, line: LogLine) -> None:
        self._batcher.add(line)
        self._some.set()
        self._all_stored.clear()
        if self._batcher.holds_a_full_batch:
            self._hurry.set()
        if self._batcher.full:
            self._room.clear()

    def _tell_of_suppressed(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        if self._intake.has_suppressed:
            self._add(self._intake.suppression_note())

    async def _let_others_run(self) -> None:
        """Give way once in a while: lines that lie ready in memory are written without ever waiting for anything."""
        self._written += 1
        if self._written % MAX_LINES == 0:
            await asyncio.sleep(0)

    async def _until(self, event: asyncio.Event) -> None:
        """Wait for the event, or raise what ended the storing of lines."""
        if not event.is_set() and not self._storing.done():
            waiting = asyncio.ensure_future(event.wait())
            try:
                await asyncio.wait({waiting, self._storing}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                waiting.cancel()
        if self._storing.done():
            self._storing.result()

    async def _store_all(self) -> None:
        while True:
            await self._some.wait()
            await self._gather_more()
            await self._store_surely(self._batcher.take())
            self._room.set()
            if self._batcher.empty:
                self._some.clear()
                self._hurry.clear()
                self._all_stored.set()

    async def _gather_more(self) -> None:
        try:
            async with asyncio.timeout(FLUSH_AFTER_MS / 1_000):
                await self._hurry.wait()
        except TimeoutError:
            return  # time to store what there is

    async def _store_surely(self, batch: LogBatch) -> None:
        async for attempt in stamina.retry_context(
            on=LogUnavailableError, attempts=None, timeout=None, wait_max=_LONGEST_PAUSE_S
        ):
            with attempt:
                # The server forgets ids after minutes; after an outage only the stream itself knows what it holds.
                if attempt.num == 1 or not await self._is_stored(batch):
                    await self._store.append(self._log, batch)

    async def _is_stored(self, batch: LogBatch) -> bool:
        last = await self._store.last(self._log, self._source)
        if last is None or last.first < batch.first:
            return False
        if last != batch:
            raise SourceTakenError(f"Somebody else wrote line {batch.first} of {self._source}.")
        return True
