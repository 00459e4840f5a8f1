"""Reading parts of a deployment's log: one source's lines by their numbers, counted from 0."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from windlass_contracts.logs import LogBatch, LogLine
from windlass_eventlog.logs.port import Cursor, DeploymentLog, LogStore


@dataclass(frozen=True, slots=True)
class NumberedLine:
    """A line and its number within its source."""

    number: int
    line: LogLine


@dataclass(frozen=True, slots=True)
class SourceLog:
    """One source of one deployment: a build's attempt, or a container.

    All methods raise LogUnavailableError where the store does not answer.
    """

    store: LogStore
    log: DeploymentLog
    source: str

    async def length(self) -> int:
        """Return how many lines were written by now, those that aged out too."""
        last = await self.store.last(self.log, self.source)
        return 0 if last is None else last.first + len(last.lines)

    async def lines(self, first: int, count: int) -> list[NumberedLine]:
        """Return the lines from `first` on, as far as they are there."""
        found: list[NumberedLine] = []
        async with aclosing(self._batches(first)) as batches:
            async for batch in batches:
                found += [one for one in numbered(batch) if first <= one.number < first + count]
                if batch.first + len(batch.lines) >= first + count:
                    break
        return found

    async def matching(self, wanted: Callable[[LogLine], bool], limit: int) -> tuple[int, list[int]]:
        """Return how many of all lines are wanted, and the numbers of the first ones, `limit` at most."""
        total, found = 0, list[int]()
        async with aclosing(self.all()) as lines:
            async for one in lines:
                if wanted(one.line):
                    total += 1
                    if total <= limit:
                        found.append(one.number)
        return total, found

    async def first(self, wanted: Callable[[LogLine], bool]) -> int | None:
        """Return the number of the first line that is wanted."""
        async with aclosing(self.all()) as lines:
            async for one in lines:
                if wanted(one.line):
                    return one.number
        return None

    async def all(self) -> AsyncGenerator[NumberedLine, None]:
        """Yield every line that is there by now."""
        async with aclosing(self._batches(0)) as batches:
            async for batch in batches:
                for one in numbered(batch):
                    yield one

    async def follow(self, first: int) -> AsyncGenerator[LogBatch, None]:
        """Yield the lines from `first` on in batches, those still to come too, until closed."""
        async with aclosing(self.store.follow(self.log, self._behind(first))) as batches:
            async for batch in batches:
                if batch.source == self.source and (rest := _from(batch, first)) is not None:
                    yield rest

    async def _batches(self, first: int) -> AsyncGenerator[LogBatch, None]:
        async with aclosing(self.store.read(self.log, self._behind(first))) as batches:
            async for batch in batches:
                if batch.source == self.source:
                    yield batch

    def _behind(self, first: int) -> Cursor | None:
        return Cursor(self.source, first - 1) if first else None


def numbered(batch: LogBatch) -> list[NumberedLine]:
    """Return a batch's lines with their numbers."""
    return [NumberedLine(number, line) for number, line in enumerate(batch.lines, start=batch.first)]


def _from(batch: LogBatch, first: int) -> LogBatch | None:
    if batch.first >= first:
        return batch
    rest = batch.lines[first - batch.first :]
    return batch.model_copy(update={"first": first, "lines": rest}) if rest else None
