"""What is written is stored once, in order, also when the store is away for a while."""

import asyncio
from uuid import uuid4

import pytest

from windlass_contracts.ids import DeploymentId, ProjectId, TeamId
from windlass_contracts.logs import MAX_LINES, LogBatch, LogLine
from windlass_eventlog.errors import LogUnavailableError
from windlass_eventlog.logs import writer as writer_module
from windlass_eventlog.logs.batcher import BUFFER_LINES
from windlass_eventlog.logs.memory import MemoryLogStore
from windlass_eventlog.logs.port import DeploymentLog, Lines, RawLine, SourceTakenError
from windlass_eventlog.logs.redaction import MASK, Redaction
from windlass_eventlog.logs.throttle import Rate
from windlass_eventlog.logs.writer import LogWriter

LOG = DeploymentLog(TeamId(uuid4()), ProjectId(uuid4()), DeploymentId(uuid4()))
NOTHING = Redaction([])


class UnreliableLogStore(MemoryLogStore):
    """Can be made unreachable, and can lose its answers."""

    def __init__(self) -> None:
        super().__init__()
        self.reachable = asyncio.Event()
        self.reachable.set()
        self.asked = asyncio.Event()
        self.answers_to_lose = 0

    async def append(self, log: Lines, batch: LogBatch) -> None:
        self.asked.set()
        await self.reachable.wait()
        await super().append(log, batch)
        if self.answers_to_lose:
            self.answers_to_lose -= 1
            raise LogUnavailableError("no answer")


class ForgetfulLogStore(UnreliableLogStore):
    """Takes the same batch twice, as a server does that was asked again after minutes."""

    async def append(self, log: Lines, batch: LogBatch) -> None:
        known = self._batches.pop(log, [])
        await super(UnreliableLogStore, self).append(log, batch)
        self._batches[log][:0] = known
        if self.answers_to_lose:
            self.answers_to_lose -= 1
            raise LogUnavailableError("no answer")


async def texts(store: MemoryLogStore) -> list[str]:
    return [line.text async for batch in store.read(LOG) for line in batch.lines]


def line(number: int) -> RawLine:
    return RawLine(number, "out", b"line %d" % number)


async def test_lines_are_stored_without_being_asked_for() -> None:
    store = MemoryLogStore()
    async with LogWriter(store, LOG, "web-0", Redaction(["hunter2"])) as writer:
        await writer.write(RawLine(5, "err", b"password is hunter2"))
        batch = await anext(store.follow(LOG))

    stored = LogLine(time_ns=5, stream="err", text=f"password is {MASK}")
    assert batch == LogBatch(source="web-0", first=0, lines=(stored,))


async def test_a_full_batch_is_stored_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "FLUSH_AFTER_MS", 3_600_000)
    store = MemoryLogStore()
    async with LogWriter(store, LOG, "web-0", NOTHING) as writer:
        for number in range(MAX_LINES):
            await writer.write(line(number))
        batch = await anext(store.follow(LOG))

    assert len(batch.lines) == MAX_LINES


async def test_the_end_of_the_block_stores_what_was_written_last() -> None:
    store = MemoryLogStore()
    async with LogWriter(store, LOG, "web-0", NOTHING) as writer:
        await writer.write(line(0))

    assert await texts(store) == ["line 0"]


async def test_a_body_that_fails_still_stores_what_it_had_written() -> None:
    store = MemoryLogStore()

    async def write_and_fail() -> None:
        async with LogWriter(store, LOG, "web-0", NOTHING) as writer:
            await writer.write(line(0))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write_and_fail()

    assert await texts(store) == ["line 0"]


async def test_flush_returns_once_everything_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "FLUSH_AFTER_MS", 3_600_000)
    store = MemoryLogStore()
    async with LogWriter(store, LOG, "web-0", NOTHING) as writer:
        for number in range(3 * MAX_LINES + 1):
            await writer.write(line(number))
        await writer.flush()
        assert writer.next_line == len(await texts(store)) == 3 * MAX_LINES + 1


async def test_numbering_goes_on_behind_what_the_source_has_stored() -> None:
    store = MemoryLogStore()
    for numbers in (range(3), range(3, 5)):
        async with LogWriter(store, LOG, "web-0", NOTHING) as writer:
            assert writer.next_line == numbers.start
            for number in numbers:
                await writer.write(line(number))
    async with LogWriter(store, LOG, "web-1", NOTHING) as other:
        assert other.next_line == 0

    assert [batch.first async for batch in store.read(LOG)] == [0, 3]


async def test_an_answer_that_got_lost_doubles_nothing() -> None:
    store = UnreliableLogStore()
    store.answers_to_lose = 2
    async with LogWriter(store, LOG, "web-0", NOTHING) as writer:
        await writer.write(line(0))
        await writer.flush()
        await writer.write(line(1))

    assert await texts(store) == ["line 0", "line 1"]


async def test_an_answer_that_got_lost_doubles_nothing_although_the_server_has_forgotten_the_id() -> None:
    store = ForgetfulLogStore()
    store.answers_to_lose = 1
    async with LogWriter(store, LOG, "web-0", NOTHING) as writer:
        await writer.write(line(0))
        await writer.flush()
        await writer.write(line(1))

    assert await texts(store) == ["line 0", "line 1"]


async def test_a_writer_waits_when_too_many_lines_could_not_be_stored_and_loses_none() -> None:
    store = UnreliableLogStore()
    store.reachable.clear()
    written = 0

    async def write_all(writer: LogWriter) -> None:
        nonlocal written
        for number in range(2 * BUFFER_LINES):
            await writer.write(line(number))
            written = number + 1

    async with LogWriter(store, LOG, "web-0", NOTHING, rate=Rate(burst=3 * BUFFER_LINES)) as writer:
        writing = asyncio.ensure_future(write_all(writer))
        await store.asked.wait()
        done, _ = await asyncio.wait({writing}, timeout=0.2)
        assert not done
        assert BUFFER_LINES <= written <= BUFFER_LINES + MAX_LINES
        store.reachable.set()
        await writing

    assert await texts(store) == [f"line {number}" for number in range(2 * BUFFER_LINES)]


async def test_lines_that_cannot_be_stored_before_the_end_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "CLOSE_WITHIN_S", 0.01)
    store = UnreliableLogStore()
    store.reachable.clear()
    with pytest.raises(LogUnavailableError, match="web-0"):
        async with LogWriter(store, LOG, "web-0", NOTHING) as writer:
            await writer.write(line(0))


async def test_a_second_writer_of_the_same_source_is_refused_at_its_next_line() -> None:
    store = MemoryLogStore()
    first, second = (LogWriter(store, LOG, "web-0", NOTHING) for _ in range(2))

    async def write_second() -> None:
        async with second:
            await first.write(line(0))
            await first.flush()
            await second.write(line(1))

    async with first:
        with pytest.raises(SourceTakenError):
            await write_second()
        await first.write(line(2))

    assert await texts(store) == ["line 0", "line 2"]


async def test_suppressed_lines_are_told_of_while_the_source_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "TELL_OF_SUPPRESSED_AFTER_S", 0)
    store = MemoryLogStore()
    async with LogWriter(store, LOG, "web-0", NOTHING, rate=Rate(lines_per_s=1, burst=2)) as writer:
        for number in range(5):
            await writer.write(line(number))
        stored: list[str] = []
        async for batch in store.follow(LOG):
            stored += [one.text for one in batch.lines]
            if len(stored) == 3:
                break

    assert stored == ["line 0", "line 1", "3 lines suppressed: more than 1 lines a second."]


async def test_a_noisy_source_does_not_delay_another() -> None:
    store = MemoryLogStore()

    async def make_noise() -> None:
        async with LogWriter(store, LOG, "noisy", NOTHING) as writer:
            for number in range(10**9):
                await writer.write(line(number))

    noise = asyncio.ensure_future(make_noise())
    async with LogWriter(store, LOG, "quiet", NOTHING) as writer:
        for number in range(5):
            await writer.write(line(number))
            await writer.flush()
    noise.cancel()
    with pytest.raises(asyncio.CancelledError):
        await noise

    assert [batch.source async for batch in store.read(LOG)].count("quiet") == 5
