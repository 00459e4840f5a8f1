"""What every log store does: the contract of the port."""

import asyncio
from contextlib import aclosing
from uuid import uuid4

import pytest

from windlass_contracts.ids import DeploymentId
from windlass_contracts.logs import LogBatch, LogLine
from windlass_eventlog.logs.port import Cursor, DeploymentLog, LogStore, SourceTakenError
from windlass_eventlog.logs.resumption import ResumePoint, resume_point


def batch(source: str, first: int, *texts: str, time_ns: int = 0) -> LogBatch:
    return LogBatch(source=source, first=first, lines=tuple(LogLine(time_ns=time_ns, text=text) for text in texts))


async def read(store: LogStore, log: DeploymentLog, after: Cursor | None = None) -> list[LogBatch]:
    return [one async for one in store.read(log, after)]


BUILD = batch("build-1", 0, "a", "b", "c")
WEB = batch("web-0", 0, "up")
MORE = batch("build-1", 3, "d", "e")


async def stored(store: LogStore, log: DeploymentLog) -> None:
    for one in (BUILD, WEB, MORE):
        await store.append(log, one)


async def test_batches_are_read_in_the_order_in_which_they_were_stored(store: LogStore, log: DeploymentLog) -> None:
    await stored(store, log)

    assert await read(store, log) == [BUILD, WEB, MORE]


async def test_a_deployment_without_lines_has_nothing_to_read(store: LogStore, log: DeploymentLog) -> None:
    assert await read(store, log) == []
    assert await read(store, log, Cursor("web-0", 5)) == []
    assert await store.last(log, "web-0") is None


async def test_deployments_are_kept_apart(store: LogStore, log: DeploymentLog) -> None:
    await stored(store, log)

    assert await read(store, DeploymentLog(log.team, log.project, DeploymentId(uuid4()))) == []


async def test_storing_a_batch_again_changes_nothing(store: LogStore, log: DeploymentLog) -> None:
    await stored(store, log)
    await store.append(log, BUILD)

    assert await read(store, log) == [BUILD, WEB, MORE]


async def test_a_second_writer_of_a_source_is_refused(store: LogStore, log: DeploymentLog) -> None:
    await stored(store, log)

    with pytest.raises(SourceTakenError, match="line 3 of build-1"):
        await store.append(log, batch("build-1", 3, "another"))
    assert await read(store, log) == [BUILD, WEB, MORE]


@pytest.mark.parametrize(
    ("after", "left"),
    [
        (Cursor("build-1", 0), [batch("build-1", 1, "b", "c"), WEB, MORE]),
        (Cursor("build-1", 2), [WEB, MORE]),
        (Cursor("web-0", 0), [MORE]),
        (Cursor("build-1", 3), [batch("build-1", 4, "e")]),
        (Cursor("build-1", 4), []),
        (Cursor("unknown", 4), [BUILD, WEB, MORE]),
    ],
)
async def test_reading_goes_on_behind_a_line(
    store: LogStore, log: DeploymentLog, after: Cursor, left: list[LogBatch]
) -> None:
    await stored(store, log)

    assert await read(store, log, after) == left


async def test_following_yields_what_is_stored_and_what_comes(store: LogStore, log: DeploymentLog) -> None:
    await store.append(log, BUILD)
    async with aclosing(store.follow(log, Cursor("build-1", 1))) as batches:
        assert await anext(batches) == batch("build-1", 2, "c")
        coming = asyncio.ensure_future(anext(batches))
        await store.append(log, WEB)
        assert await coming == WEB
        await store.append(log, MORE)
        assert await anext(batches) == MORE


async def test_the_last_batch_of_a_source_is_found_behind_those_of_others(store: LogStore, log: DeploymentLog) -> None:
    await stored(store, log)
    await store.append(log, batch("web-0", 1, "still up"))

    assert await store.last(log, "build-1") == MORE
    assert await store.last(log, "build-1", before=3) == BUILD
    assert await store.last(log, "build-1", before=0) is None


async def test_a_container_is_read_on_behind_the_last_line_of_its_last_nanosecond(
    store: LogStore, log: DeploymentLog
) -> None:
    assert await resume_point(store, log, "web-0") is None
    await store.append(log, batch("web-0", 0, "before", time_ns=1))
    await store.append(log, batch("web-0", 1, "x", "y", time_ns=5))
    await store.append(log, batch("web-0", 3, "z", time_ns=5))

    assert await resume_point(store, log, "web-0") == ResumePoint(5, 3)


async def test_a_container_is_read_on_behind_the_lines_that_a_note_stands_for(
    store: LogStore, log: DeploymentLog
) -> None:
    note = LogLine(time_ns=9, stream="note", text="5 lines suppressed")
    await store.append(log, LogBatch(source="web-0", first=0, lines=(LogLine(time_ns=4, text="x"), note)))

    assert await resume_point(store, log, "web-0") == ResumePoint(10, 0)
