"""Lines of commands on a real server: one that prints without end costs the others nothing of theirs."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from support.nats import seed_of
from windlass_contracts.ids import RunId, TeamId
from windlass_contracts.logs import LogBatch, LogLine
from windlass_contracts.subjects import Service
from windlass_eventlog.jetstream.connection import Connection, connection
from windlass_eventlog.logs.jetstream import JetStreamLogStore
from windlass_eventlog.logs.port import RunOutput
from windlass_eventlog.topology import TERMINAL_STREAM

SHARE = 256 * 1024
LINES = 100


def batch(number: int) -> LogBatch:
    lines = tuple(LogLine(time_ns=number + 1, stream="out", text=os.urandom(40).hex()) for _ in range(LINES))
    return LogBatch(source="run", first=number * LINES, lines=lines)


async def written(store: JetStreamLogStore, output: RunOutput) -> list[LogBatch]:
    return [one async for one in store.read(output)]


@pytest.fixture
async def builder(provisioned: str, tmp_path: Path) -> AsyncIterator[Connection]:
    """Yield a connection with the rights of the service that passes the lines on."""
    async with connection(provisioned, Service.BUILDER, seed_of(Service.BUILDER, tmp_path)) as opened:
        yield opened


async def test_a_command_that_prints_without_end_pushes_out_nothing_but_its_own_lines(builder: Connection) -> None:
    store = JetStreamLogStore(builder, TERMINAL_STREAM, SHARE)
    team = TeamId(uuid4())
    quiet, flooding = RunOutput(team, RunId(uuid4())), RunOutput(team, RunId(uuid4()))
    of_quiet, of_flooding = [batch(number) for number in range(3)], [batch(number) for number in range(150)]
    await store.append(quiet, of_quiet[0])
    for one in of_flooding:
        await store.append(flooding, one)
    for one in of_quiet[1:]:
        await store.append(quiet, one)

    assert await written(store, quiet) == of_quiet
    kept = await written(store, flooding)
    assert kept == of_flooding[-len(kept) :]
    assert 10 < len(kept) < 140
    assert await store.last(flooding, "run") == of_flooding[-1]
    assert (await builder.jetstream.stream_info(TERMINAL_STREAM)).state.bytes < 2 * SHARE
