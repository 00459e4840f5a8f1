"""What it costs one monitor to probe 2,000 apps every 5 s, and how soon it says that one of them stopped answering.

The monitor is a process of its own, with a real NATS and PostgreSQL, and so are the apps: HTTP servers on loopback that
answer 200. Its CPU time is taken once all apps were found healthy. Then some of them stop listening, at moments spread
over a round, and each has to be called unhealthy in the log. Prints one JSON object: targets, cpu_percent (of one
core), detect_s_p95.
"""

import asyncio
import json
import os
import random
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from statistics import quantiles
from typing import cast

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import psutil
import uvloop

from support.nats import running_nats
from support.postgres import running_postgres
from support.running_service import INSTALLATION, settings_of_a_service
from support.told_deployment import ToldDeployment
from windlass_contracts.events import Healthy, Unhealthy
from windlass_contracts.subjects import Service
from windlass_eventlog.jetstream.connection import connection
from windlass_eventlog.jetstream.log import JetStreamLog
from windlass_eventlog.jetstream.provisioning import provision
from windlass_monitor.app import serve

TARGETS = 2_000
ROUND_S = 5
ROUNDS, STOPPED = (3, 60) if os.environ.get("QUICK") else (12, 200)
AT_ONCE = 64
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class App(asyncio.Protocol):
    """Answers one request and hangs up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, _: bytes) -> None:
        self._transport.write(_ANSWER)
        self._transport.close()


async def be_the_apps() -> None:
    """Listen on as many ports, tell them on one line, and close each port that is told on a line of its own."""
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(App, "127.0.0.1", 0) for _ in range(TARGETS)]
    ports = {server.sockets[0].getsockname()[1]: server for server in servers}
    print(json.dumps(list(ports)), flush=True)
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        ports[int(line)].close()


async def be_the_monitor() -> None:
    await serve(lambda: print("started", flush=True))


async def begun(part: str, environment: Mapping[str, str], stack: AsyncExitStack) -> tuple[Process, str]:
    """Start a part in a process of its own, and return it with the line that it says first."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, part, env={**os.environ, **environment}, stdin=PIPE, stdout=PIPE, limit=1 << 20
    )
    stack.callback(process.kill)
    assert process.stdout is not None
    return process, (await process.stdout.readline()).decode()


async def tell(log: JetStreamLog, ports: Sequence[int]) -> None:
    """Let the log say that an app was started at each port, each the one that answers in an environment."""
    alone = asyncio.Semaphore(AT_ONCE)

    async def one(port: int) -> None:
        async with alone:
            told = ToldDeployment(log)
            await told.built()
            await told.answers()
            await told.started(f"app-{port}", port)

    await asyncio.gather(*(one(port) for port in ports))


async def wait_for(log: JetStreamLog, kind: type[Healthy | Unhealthy], ports: set[int], after: int) -> dict[int, float]:
    """Return when each app was said to be so."""
    seen: dict[int, float] = {}
    async with aclosing(log.read(after, "evt.monitor.>")) as events:
        async for recorded in events:
            if isinstance(recorded.event, kind):
                seen[int(recorded.event.container.removeprefix("app-"))] = time.monotonic()
                if seen.keys() >= ports:
                    return seen
    raise AssertionError


async def stop_some(apps: Process, ports: Sequence[int]) -> dict[int, float]:
    """Let the apps stop listening, spread over a round; return when each did."""
    assert apps.stdin is not None
    stopped: dict[int, float] = {}
    for port in ports:
        apps.stdin.write(f"{port}\n".encode())
        await apps.stdin.drain()
        stopped[port] = time.monotonic()
        await asyncio.sleep(ROUND_S / len(ports))
    return stopped


async def used_percent(pid: int, seconds: float) -> float:
    """Return how much of a core the process uses."""
    process = psutil.Process(pid)

    def used() -> float:
        times = process.cpu_times()
        return float(times.user + times.system)

    before, began = used(), time.monotonic()
    await asyncio.sleep(seconds)
    return 100 * (used() - before) / (time.monotonic() - began)


async def measure(log: JetStreamLog, settings: Mapping[str, str]) -> dict[str, float]:
    async with AsyncExitStack() as stack:
        apps, line = await begun("apps", {}, stack)
        ports: list[int] = json.loads(line)
        print(f"{len(ports)} apps listen; telling the log of them", file=sys.stderr)
        monitor, _ = await begun("monitor", settings, stack)
        healthy = asyncio.create_task(wait_for(log, Healthy, set(ports), 0))
        await tell(log, ports)
        await healthy
        print("all are healthy; measuring", file=sys.stderr)
        await asyncio.sleep(ROUND_S)
        cpu = await used_percent(monitor.pid, ROUND_S * ROUNDS)
        chosen = random.Random(1).sample(ports, STOPPED)  # noqa: S311 - any will do, the same ones each time
        lost = asyncio.create_task(wait_for(log, Unhealthy, set(chosen), await log.head()))
        stopped = await stop_some(apps, chosen)
        said = await lost
    took = sorted(said[port] - stopped[port] for port in chosen)
    return {
        "targets": len(ports),
        "cpu_percent": round(cpu, 1),
        "detect_s_p95": round(quantiles(took, n=100)[94], 2),
    }


async def main(folder: Path, url: str, database_url: str) -> None:
    await provision(url)
    settings = settings_of_a_service(folder, url, database_url, Service.MONITOR)
    async with connection(url, "bench") as nats:
        print(json.dumps(await measure(JetStreamLog(nats, INSTALLATION), settings)))


PARTS = {"apps": be_the_apps, "monitor": be_the_monitor}
if len(sys.argv) > 1:
    uvloop.run(PARTS[sys.argv[1]]())
else:
    with (
        tempfile.TemporaryDirectory(prefix="windlass-bench-") as temporary,
        running_nats(Path(temporary)) as server,
        running_postgres() as postgres,
    ):
        uvloop.run(main(Path(temporary), server, postgres.url("postgres")))
