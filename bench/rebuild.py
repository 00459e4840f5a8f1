"""Rebuilds the gateway's projections, without its raw copy, from a log of deployments' lives across 200 projects.

The events are encoded once, given ids of their own, and sent ahead of their acknowledgements to a server that does not
sync: only the rebuild is measured, by a process of its own on a real NATS and PostgreSQL. Prints one JSON object:
events, events_per_s (from the call of `rebuild` until the rows are swapped in), peak_rss_mib (of that process).
"""

import gc
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import nats
import uvloop

from support.deployment_lives import lives
from support.nats import running_nats
from support.postgres import running_postgres
from windlass_contracts.subjects import Service
from windlass_eventlog.dead_letters.letter import DEAD_LETTERS
from windlass_eventlog.jetstream.connection import connection
from windlass_eventlog.jetstream.log import JetStreamLog
from windlass_eventlog.jetstream.provisioning import provision
from windlass_eventlog.postgres.database import database
from windlass_eventlog.postgres.layout import Layout
from windlass_eventlog.postgres.rebuild import rebuild
from windlass_gateway.application.projections import ALL

EVENTS = 200_000 if os.environ.get("QUICK") else 1_000_000
UNACKNOWLEDGED = 2_000
INSTALLATION = "0a1b2c3d"
MIB = 1024


@dataclass(frozen=True)
class Place:
    """Where the log and the rows lie."""

    nats: str
    postgres: str


async def fill(url: str) -> None:
    """Send all events, and wait for every two thousandth to be acknowledged: those before it are stored by then."""
    await provision(url)
    client = await nats.connect(url, pending_size=64 * MIB * MIB)
    jetstream = client.jetstream()
    for number, message in enumerate(lives(EVENTS), start=1):
        if number % UNACKNOWLEDGED and number != EVENTS:
            await client.publish(message.subject, message.body, headers=dict(message.headers))
        else:
            await jetstream.publish(message.subject, message.body, headers=dict(message.headers), timeout=60)
    await client.close()


async def measure(place: Place) -> dict[str, float]:
    layout = Layout.of(Service.GATEWAY, [*ALL, DEAD_LETTERS])
    async with connection(place.nats, "bench") as link, database(place.postgres, "bench") as own:
        log = JetStreamLog(link, INSTALLATION)
        assert await log.head() == EVENTS

        async def on_progress(done: int, _total: int) -> None:
            print(f"{done} events, {_peak_mib():.0f} MiB")

        began, used = time.perf_counter(), time.process_time()
        done = await rebuild(log, own, layout, frozenset(), on_progress)
        seconds, used = time.perf_counter() - began, time.process_time() - used
        assert (done.sequence, done.events) == (EVENTS, EVENTS)
        print(f"{done.rows} rows in {seconds:.1f} s; {used / EVENTS * 1e6:.0f} us of this process's CPU time an event")
    return {"events": EVENTS, "events_per_s": round(EVENTS / seconds), "peak_rss_mib": round(_peak_mib())}


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB


def measured(place: Place) -> dict[str, float]:
    gc.freeze()  # as the parent of the services does before it forks them
    if profile := os.environ.get("PROFILE"):
        import cProfile  # noqa: PLC0415 - asked for only where somebody looks for what takes the time

        with cProfile.Profile() as profiler:
            figures = uvloop.run(measure(place))
        profiler.dump_stats(profile)
        return figures
    return uvloop.run(measure(place))


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="windlass-bench-") as folder,
        running_nats(Path(folder), sync="10m") as url,
        running_postgres() as postgres,
        multiprocessing.get_context("spawn").Pool(1) as process,
    ):
        began = time.perf_counter()
        uvloop.run(fill(url))
        print(f"{EVENTS} events made in {time.perf_counter() - began:.1f} s")
        print(json.dumps(process.apply(measured, (Place(url, postgres.url("postgres")),))))


if __name__ == "__main__":
    main()
