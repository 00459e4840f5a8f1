"""1,000 viewers of the events on one gateway, whose events are told into the log at a fixed rate.

The gateway is a process with real NATS and PostgreSQL, the viewers are bare connections in another one, on loopback.
Prints one JSON object: viewers; p99_ms (an event's append began -> a viewer received it, over all deliveries);
cpu_us_per_delivery (all that the gateway's process used while it told them: reading, rows and rendering too);
kib_per_viewer (what its memory grew by as they connected) and gaps (deliveries missing, doubled or out of order).
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles
from uuid import UUID, uuid4

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import psutil
import uvloop

from support.live_crowd import Place, Seen, raise_file_limit, watch
from support.nats import running_nats
from support.ports import free_port
from support.postgres import running_postgres
from support.running_service import INSTALLATION, environment, settings_of_a_service
from windlass_contracts.events import VariableSet
from windlass_contracts.ids import EventId, ProjectId, TeamId
from windlass_contracts.subjects import Aggregate, AggregateKey, Service
from windlass_eventlog.appender import Appender
from windlass_eventlog.clock import utc_now
from windlass_eventlog.jetstream.connection import connection
from windlass_eventlog.jetstream.log import JetStreamLog
from windlass_eventlog.jetstream.provisioning import provision
from windlass_eventlog.keys_file import read_keys
from windlass_eventlog.log import Expected
from windlass_gateway.adapters.installation_owner import InstallationOwner
from windlass_gateway.app import serve
from windlass_gateway.domain.people import owner_id
from windlass_gateway.entrypoints.access.sessions import Session, Sessions

VIEWERS = 1_000
PER_SECOND = 5
SECONDS = 15 if os.environ.get("QUICK") else 60
WARM_UP = 10
"""Events that are told first, and count for nothing: templates are compiled at the first one."""

SETTLE_S = 2.0
KIB = 1_024
MICROSECONDS = 1_000_000
MILLISECONDS = 1_000


@dataclass(frozen=True)
class Told:
    """When the append of each event began, by its sequence, and what CPU time the gateway had used before."""

    moments: dict[int, float]
    cpu_before_s: float


def run_gateway(settings: dict[str, str], ready: Connection) -> None:
    """Run the gateway in this process until it is terminated."""
    raise_file_limit(2 * VIEWERS + 200)
    with environment(settings):
        uvloop.run(serve(lambda: ready.send(None)))


def gateway_settings(home: Path, nats_url: str, database_url: str) -> dict[str, str]:
    settings = dict(settings_of_a_service(home, nats_url, database_url, Service.GATEWAY))
    return settings | {
        "WINDLASS_GATEWAY_PORT": str(free_port()),
        "WINDLASS_SESSION_KEYS_FILE": settings["WINDLASS_SECRETS_KEYS_FILE"],
        "WINDLASS_WEBHOOK_KEY": "k" * 32,
        "WINDLASS_API_TOKEN_SHA256": sha256(b"none").hexdigest(),
    }


def cookie(settings: dict[str, str]) -> str:
    """Return the owner's session as a browser sends it."""
    team, owner = TeamId(UUID(settings["WINDLASS_TEAM"])), owner_id(INSTALLATION)
    sessions = Sessions(
        read_keys(Path(settings["WINDLASS_SESSION_KEYS_FILE"])), InstallationOwner(owner, team), utc_now
    )
    return sessions.cookie(Session.begun(owner, team, utc_now()), secure=False).partition(";")[0]


async def tell(nats_url: str, team: TeamId, gateway: psutil.Process) -> Told:
    """Append events at the rate, and return when each append began."""
    key = AggregateKey.of_project(team, ProjectId(uuid4()), Aggregate.VARIABLES)
    moments: dict[int, float] = {}
    async with connection(nats_url, "bench") as link:
        append = Appender(JetStreamLog(link, INSTALLATION), Service.GATEWAY, utc_now)
        before, last, begin = 0.0, 0, time.monotonic()
        for number in range(-WARM_UP, PER_SECOND * SECONDS):
            await asyncio.sleep(max(0.0, begin + (number + WARM_UP) / PER_SECOND - time.monotonic()))
            if number == 0:
                before = cpu_seconds(gateway)
            began = time.monotonic()
            event = VariableSet(name="GREETING", secret=uuid4())
            last = await append.commanded(
                key, event, Expected.at(key, last), actor="service:gateway", id=EventId(uuid4())
            )
            if number >= 0:
                moments[last] = began
        return Told(moments, before)


def cpu_seconds(process: psutil.Process) -> float:
    return float(sum(process.cpu_times()[:2]))


def figures(told: Told, seen: Sequence[Seen], cpu_s: float, grown_bytes: int) -> dict[str, float]:
    expected = list(told.moments)
    latencies = [
        moment - told.moments[sequence]
        for one in seen
        for sequence, moment in zip(one.sequences, one.moments, strict=True)
    ]
    slowest = sorted(by_event(told, seen), reverse=True)
    print(f"p50 {median(latencies) * MILLISECONDS:.0f} ms; by event, all viewers had it after (ms):")
    print(" ".join(f"{worst * MILLISECONDS:.0f}" for worst in slowest))
    return {
        "viewers": len(seen),
        "p99_ms": round(quantiles(latencies, n=100)[98] * MILLISECONDS, 1),
        "cpu_us_per_delivery": round(cpu_s / len(latencies) * MICROSECONDS, 1),
        "kib_per_viewer": round(grown_bytes / KIB / len(seen), 1),
        "gaps": sum(gaps(expected, one.sequences) for one in seen),
    }


def counted(one: Seen, first: int) -> Seen:
    """Return what a viewer was sent once everything was warm."""
    kept = bisect_left(one.sequences, first)
    return Seen(one.sequences[kept:], one.moments[kept:])


def by_event(told: Told, seen: Sequence[Seen]) -> list[float]:
    """Return for each event how long it took until the last viewer had it."""
    worst = dict.fromkeys(told.moments, 0.0)
    for one in seen:
        for sequence, moment in zip(one.sequences, one.moments, strict=True):
            worst[sequence] = max(worst[sequence], moment - told.moments[sequence])
    return list(worst.values())


def gaps(expected: Sequence[int], received: Sequence[int]) -> int:
    """Return how many events are missing, how many came twice, and how many came too early."""
    missing = len(set(expected) - set(received))
    doubled = len(received) - len(set(received))
    disordered = sum(later <= earlier for earlier, later in pairwise(received))
    return missing + doubled + disordered


@contextmanager
def beside(target: Callable[..., None], *args: object) -> Iterator[tuple[int, Connection]]:
    """Run a function in a process of its own; yield its id, and the connection that it got as its last argument."""
    processes = get_context("fork")  # nothing runs beside yet, and everything is imported already
    ours, theirs = processes.Pipe()
    process = processes.Process(target=target, args=(*args, theirs))
    process.start()
    theirs.close()  # so that the end of the process is the end of the connection
    try:
        assert process.pid is not None
        yield process.pid, ours
    finally:
        process.terminate()
        process.join()


def measure(home: Path, nats_url: str, database_url: str) -> dict[str, float]:
    asyncio.run(provision(nats_url))
    settings = gateway_settings(home, nats_url, database_url)
    place = Place(int(settings["WINDLASS_GATEWAY_PORT"]), "events", cookie(settings))
    with beside(run_gateway, settings) as (pid, ready):
        ready.recv()
        gateway = psutil.Process(pid)
        time.sleep(SETTLE_S)
        empty = gateway.memory_info().rss
        with beside(watch, place, VIEWERS) as (_, crowd):
            print(f"{crowd.recv()} viewers are connected")
            grown = gateway.memory_info().rss - empty
            told = uvloop.run(tell(nats_url, TeamId(UUID(settings["WINDLASS_TEAM"])), gateway))
            crowd.send(max(told.moments))
            seen = [counted(one, min(told.moments)) for one in crowd.recv()]
            return figures(told, seen, cpu_seconds(gateway) - told.cpu_before_s, grown)


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="windlass-bench-") as folder,
        running_nats(Path(folder) / "nats") as nats_url,
        running_postgres() as postgres,
    ):
        print(json.dumps(measure(Path(folder), nats_url, postgres.url("postgres"))))


if __name__ == "__main__":
    main()
