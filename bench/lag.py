"""From the beginning of an append until its event is visible in the gateway's projections, at 200 events a second.

The gateway's link as it runs: its projections, its raw copy, a real NATS that syncs every event, a real PostgreSQL.
Appends are begun on a fixed schedule, late ones too, so that no delay hides another. An event is visible once
`rows.reached` returns, the moment from which pages and reactors read it. Prints one JSON object: p50_ms, p99_ms,
events.
"""

import asyncio
import gc
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import quantiles
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import nats
import uvloop
from cryptography.fernet import Fernet
from nats.aio.client import Client
from pydantic import SecretStr

from support.deployment_lives import INSTALLATION, lives
from support.nats import running_nats
from support.postgres import running_postgres
from windlass_contracts.ids import TeamId
from windlass_contracts.subjects import Service
from windlass_eventlog.background import background
from windlass_eventlog.jetstream.provisioning import provision
from windlass_eventlog.link import Link
from windlass_eventlog.message import Message
from windlass_eventlog.postgres.records import migrate
from windlass_eventlog.service import connected
from windlass_eventlog.settings import CommonSettings
from windlass_gateway.adapters.event_copy import EventCopy
from windlass_gateway.adapters.records import RECORDS
from windlass_gateway.application.projections import ALL

PER_SECOND = 200
SECONDS = 20 if os.environ.get("QUICK") else 120
WARM_UP_S = 3


async def seen(link: Link, writer: Client, message: Message, due: float) -> float:
    """Append at a moment, and return how many seconds later the event is in the rows."""
    await asyncio.sleep(due - time.perf_counter())
    ack = await writer.jetstream().publish(message.subject, message.body, headers=dict(message.headers))
    await link.rows.reached(ack.seq)
    return time.perf_counter() - due


async def measure(link: Link, url: str) -> dict[str, float]:
    await migrate(link.database, RECORDS)
    writer = await nats.connect(url)
    count = PER_SECOND * (WARM_UP_S + SECONDS)
    messages = list(lives(count))
    async with background(EventCopy(link.log, link.database).run()):
        began = time.perf_counter() + 0.5
        due = [began + number / PER_SECOND for number in range(count)]
        seconds = await asyncio.gather(
            *(seen(link, writer, message, moment) for message, moment in zip(messages, due, strict=True))
        )
    await writer.close()
    measured = sorted(seconds[PER_SECOND * WARM_UP_S :])
    cuts = quantiles(measured, n=100)
    return {"p50_ms": round(cuts[49] * 1_000, 1), "p99_ms": round(cuts[98] * 1_000, 1), "events": len(measured)}


async def main(folder: Path, url: str, database_url: str) -> None:
    await provision(url)
    keys = folder / "keys"
    keys.write_bytes(Fernet.generate_key())
    settings = CommonSettings(
        installation=INSTALLATION,
        team=TeamId(uuid4()),
        node="node-1",
        home=folder,
        nats_url=SecretStr(url),
        database_url=SecretStr(database_url),
        secrets_keys_file=keys,
    )
    async with connected(Service.GATEWAY, settings, projections=ALL) as link:
        print(json.dumps(await measure(link, url)))


gc.freeze()  # as the parent of the services does before it forks them
with (
    tempfile.TemporaryDirectory(prefix="windlass-bench-") as temporary,
    running_nats(Path(temporary)) as server,
    running_postgres() as postgres,
):
    uvloop.run(main(Path(temporary), server, postgres.url("postgres")))
