"""Appends on 64 aggregates at once, each with its expected sequence, against plain nats-py in the same run.

Plain nats-py and json write the same messages, with the same conditions, to the same stream, and check nothing. Rounds
of both alternate, each on new aggregates. Prints one JSON object: ratio (ours by theirs, in appends a second; the
median of the rounds) and p50_ms (one append of ours under this load).
"""

import asyncio
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import nats
import uvloop
from nats.js import JetStreamContext

from support.eventlog_samples import canceled, deployment_key
from support.nats import running_nats
from windlass_contracts.subjects import AggregateKey, Service
from windlass_eventlog.jetstream.connection import connection
from windlass_eventlog.jetstream.log import JetStreamLog
from windlass_eventlog.jetstream.provisioning import provision
from windlass_eventlog.log import Expected

INSTALLATION = "0a1b2c3d"
AGGREGATES = 64
EVENTS_EACH = 20
ROUNDS = 14 if os.environ.get("QUICK") else 30

Write = Callable[[AggregateKey], Awaitable[None]]


@dataclass
class Ours:
    """The event log as services use it."""

    log: JetStreamLog
    seconds: list[float] = field(default_factory=list)

    async def write(self, key: AggregateKey) -> None:
        last = 0
        for _ in range(EVENTS_EACH):
            began = time.perf_counter()
            last = await self.log.append(canceled(key), Expected.at(key, last))
            self.seconds.append(time.perf_counter() - began)


@dataclass
class Plain:
    """nats-py and json as they are, writing the same messages with the same conditions."""

    jetstream: JetStreamContext

    async def write(self, key: AggregateKey) -> None:
        last, subject, scope = 0, key.subject(Service.GATEWAY), key.pattern
        for _ in range(EVENTS_EACH):
            identity = str(uuid4())
            headers = {
                "Nats-Msg-Id": identity,
                "Windlass-Type": "deployment.canceled.v1",
                "Content-Type": "application/cloudevents+json",
                "Nats-Expected-Last-Subject-Sequence": str(last),
                "Nats-Expected-Last-Subject-Sequence-Subject": scope,
            }
            body = {
                "specversion": "1.0",
                "id": identity,
                "source": f"urn:windlass:{INSTALLATION}:gateway",
                "type": "deployment.canceled.v1",
                "subject": subject,
                "time": datetime.now(UTC).isoformat(),
                "datacontenttype": "application/json",
                "actor": "service:gateway",
                "correlation": identity,
                "data": {},
            }
            last = (await self.jetstream.publish(subject, json.dumps(body).encode(), headers=headers)).seq


async def rate(write: Write, keys: list[AggregateKey]) -> float:
    """Return how many events a second were appended."""
    began = time.perf_counter()
    await asyncio.gather(*(write(key) for key in keys))
    return len(keys) * EVENTS_EACH / (time.perf_counter() - began)


async def measure(url: str) -> None:
    await provision(url)
    plain_client = await nats.connect(url)
    async with connection(url, "bench") as link:
        ours, plain = Ours(JetStreamLog(link, INSTALLATION)), Plain(plain_client.jetstream())
        ratios = []
        for turn in range(ROUNDS + 1):
            keys = [deployment_key() for _ in range(AGGREGATES)]
            fresh = [deployment_key() for _ in range(AGGREGATES)]
            if turn % 2:
                theirs, mine = await rate(plain.write, keys), await rate(ours.write, fresh)
            else:
                mine, theirs = await rate(ours.write, fresh), await rate(plain.write, keys)
            if turn == 0:  # warms up both
                ours.seconds.clear()
                continue
            print(f"round {turn}: plain {theirs:.0f}/s, ours {mine:.0f}/s")
            ratios.append(mine / theirs)
        assert await ours.log.head() == (ROUNDS + 1) * 2 * AGGREGATES * EVENTS_EACH
    await plain_client.close()
    print(json.dumps({"ratio": round(median(ratios), 3), "p50_ms": round(median(ours.seconds) * 1_000, 2)}))


gc.freeze()  # as the parent of the services does before it forks them
with tempfile.TemporaryDirectory(prefix="windlass-bench-") as folder, running_nats(Path(folder)) as server:
    uvloop.run(measure(server))
