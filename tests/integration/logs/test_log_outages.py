"""Whoever is killed, the writer or the server: no line is lost, doubled or out of order."""

import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import aclosing, suppress
from pathlib import Path

from support.nats import NATS_SERVER
from support.server_process import ServerCommand, ServerProcess
from windlass_eventlog.jetstream.connection import Connection, connection
from windlass_eventlog.jetstream.provisioning import provision
from windlass_eventlog.logs.jetstream import JetStreamLogStore
from windlass_eventlog.logs.port import DeploymentLog, RawLine
from windlass_eventlog.logs.redaction import Redaction
from windlass_eventlog.logs.writer import LogWriter

LINES = 20_000
KILLED_AT = (1, 1_000, 4_000, 4_001, 9_000, 15_000)
WRITER = Path(__file__).with_name("writing_process.py")


async def start_writer(url: str, log: DeploymentLog) -> asyncio.subprocess.Process:
    ids = map(str, (log.team, log.project, log.deployment))
    return await asyncio.create_subprocess_exec(sys.executable, WRITER, url, *ids, str(LINES))


async def test_a_writer_that_is_killed_again_and_again_loses_and_doubles_nothing(
    nats_server: str, nats_connection: Connection, log: DeploymentLog
) -> None:
    store = JetStreamLogStore(nats_connection)
    async with aclosing(store.follow(log)) as batches:
        seen = 0
        for limit in KILLED_AT:
            process = await start_writer(nats_server, log)
            while seen < limit:
                seen += len((await anext(batches)).lines)
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            assert await process.wait() in {-signal.SIGKILL, 0}, "0 where it was through before it could be killed"
        process = await start_writer(nats_server, log)
        assert await process.wait() == 0

    stored = [batch async for batch in store.read(log)]
    assert [line.text for batch in stored for line in batch.lines] == [f"line {number}" for number in range(LINES)]
    assert [batch.first for batch in stored] == [int(batch.lines[0].text.split()[1]) for batch in stored]


async def test_a_server_that_is_killed_costs_neither_writer_nor_reader_a_line(
    tmp_path: Path, free_port: Callable[[], int], log: DeploymentLog
) -> None:
    server = server_command(tmp_path, free_port())
    with ServerProcess(server) as first:
        await provision(address(server))
        async with (
            connection(address(server), "logs") as opened,
            LogWriter(JetStreamLogStore(opened), log, "web-0", Redaction([])) as writer,
            aclosing(JetStreamLogStore(opened).follow(log)) as batches,
        ):
            await writer.write(RawLine(0, "out", b"line 0"))
            texts = [line.text for line in (await anext(batches)).lines]
            first.kill()
            for number in range(1, 500):
                await writer.write(RawLine(number, "out", b"line %d" % number))
            with ServerProcess(server):
                while len(texts) < 500:
                    texts += [line.text for line in (await anext(batches)).lines]
                await writer.flush()

    assert texts == [f"line {number}" for number in range(500)]


def server_command(folder: Path, port: int) -> ServerCommand:
    config = folder / "nats.conf"
    store = folder / "store"
    config.write_text(f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{store}", sync_interval: always }}\n')
    return ServerCommand([str(NATS_SERVER), "--config", str(config)], b"Server is ready", folder / f"{port}.log")


def address(server: ServerCommand) -> str:
    return f"nats://127.0.0.1:{server.log.stem}"
