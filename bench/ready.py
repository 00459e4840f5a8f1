"""How soon a container is known to be healthy: its port opens and answers -> `Healthy` stands in the log.

The whole monitor on real NATS and PostgreSQL probes real HTTP servers on loopback that open after a random delay.
Prints one JSON object: p50_ms, runs. QUICK=1 takes fewer runs.
"""

import asyncio
import json
import os
import random
import sys
import tempfile
import time
from contextlib import aclosing
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import asyncpg

from support.loopback_app import LoopbackApp, http
from support.nats import running_nats
from support.ports import free_port
from support.postgres import running_postgres
from support.running_service import INSTALLATION, environment, running, settings_of_a_service
from support.told_deployment import ToldDeployment
from windlass_contracts.events import Healthy
from windlass_contracts.subjects import Service
from windlass_eventlog.jetstream.connection import connection
from windlass_eventlog.jetstream.log import JetStreamLog
from windlass_eventlog.jetstream.provisioning import provision
from windlass_monitor.app import serve

RUNS = 20 if os.environ.get("QUICK") else 100
DELAYS_S = (0.1, 1.0)


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="windlass-bench-") as folder,
        running_nats(Path(folder) / "nats") as nats_url,
        running_postgres() as postgres,
        environment(settings_of_a_service(Path(folder), nats_url, postgres.url("monitor"), Service.MONITOR)),
    ):
        durations = asyncio.run(measure(nats_url, postgres.url("postgres")))
    assert len(durations) == RUNS
    print(json.dumps({"p50_ms": round(median(durations), 1), "runs": RUNS}))


async def measure(nats_url: str, postgres_url: str) -> list[float]:
    await create_database(postgres_url)
    await provision(nats_url)
    async with connection(nats_url, "bench") as nats, running(serve):
        return [await ready(JetStreamLog(nats, INSTALLATION)) for _ in range(RUNS)]


async def ready(log: JetStreamLog) -> float:
    """Return the milliseconds from the moment the port opened until the event arrived from the log."""
    told, app = ToldDeployment(log), LoopbackApp(http(200), free_port())
    await told.built()
    sequence = await told.started("web-0", app.port)
    async with aclosing(log.read(sequence, told.key.pattern)) as events:
        coming = asyncio.ensure_future(anext(events))
        await asyncio.sleep(random.uniform(*DELAYS_S))  # noqa: S311 - spreads the runs over the monitor's schedule
        assert not coming.done()
        async with app.listening():
            opened = time.monotonic()
            recorded = await coming
            took = time.monotonic() - opened
    assert isinstance(recorded.event, Healthy)
    await told.stopped("web-0")
    return took * 1_000


async def create_database(postgres_url: str) -> None:
    postgres = await asyncpg.connect(postgres_url)
    try:
        await postgres.execute("CREATE DATABASE monitor")
    finally:
        await postgres.close()


if __name__ == "__main__":
    main()
