"""Lines of deployments in memory, for tests and simulations: passes the same contract tests as the real store."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from functools import partial

from windlass_contracts.logs import LogBatch
from windlass_eventlog.logs.port import Cursor, Lines, SourceTakenError, behind


class MemoryLogStore:
    """Keeps every batch until the process ends."""

    def __init__(self) -> None:
        self._batches: defaultdict[Lines, list[LogBatch]] = defaultdict(list)
        self._stored = asyncio.Condition()

    async def append(self, log: Lines, batch: LogBatch) -> None:
        for known in self._batches[log]:
            if (known.source, known.first) == (batch.source, batch.first):
                if known != batch:
                    raise SourceTakenError(f"Somebody else wrote line {batch.first} of {batch.source}.")
                return
        self._batches[log].append(batch)
        async with self._stored:
            self._stored.notify_all()

    async def last(self, log: Lines, source: str, before: int | None = None) -> LogBatch | None:
        index = self._index(log, source, before)
        return None if index is None else self._batches[log][index]

    async def read(self, log: Lines, after: Cursor | None = None) -> AsyncGenerator[LogBatch, None]:
        for batch in self._batches[log][self._start(log, after) :]:
            if (rest := behind(batch, after)) is not None:
                yield rest

    async def follow(self, log: Lines, after: Cursor | None = None) -> AsyncGenerator[LogBatch, None]:
        place = self._start(log, after)
        while True:
            async with self._stored:
                await self._stored.wait_for(partial(self._holds, log, place))
            if (rest := behind(self._batches[log][place], after)) is not None:
                yield rest
            place += 1

    def _holds(self, log: Lines, place: int) -> bool:
        return len(self._batches[log]) > place

    def _index(self, log: Lines, source: str, before: int | None) -> int | None:
        for index, batch in reversed(list(enumerate(self._batches[log]))):
            if batch.source == source and (before is None or batch.first < before):
                return index
        return None

    def _start(self, log: Lines, after: Cursor | None) -> int:
        return 0 if after is None else self._index(log, after.source, after.line + 1) or 0
