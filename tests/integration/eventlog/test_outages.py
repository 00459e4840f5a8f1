"""The server is killed in the middle of everything: what was acknowledged is there once, and readers miss nothing."""

import asyncio
from uuid import uuid4

from support.eventlog_samples import canceled, deployment_key
from support.log_contract import read
from windlass_contracts.ids import TeamId
from windlass_contracts.subjects import AggregateKey
from windlass_eventlog.jetstream.connection import connection
from windlass_eventlog.jetstream.log import JetStreamLog
from windlass_eventlog.jetstream.provisioning import provision
from windlass_eventlog.log import EventLog, Expected

from .conftest import INSTALLATION, RestartableNats

WRITERS = 8
EVENTS_EACH = 60
KILLED_AT = (60, 200, 350)


async def write(log: EventLog, key: AggregateKey) -> list[int]:
    """Append one behind the other; a conflict with oneself would be an event that was appended twice."""
    sequences = [0]
    for _ in range(EVENTS_EACH):
        sequences.append(await log.append(canceled(key), Expected.at(key, sequences[-1])))
    return sequences[1:]


async def test_nothing_is_lost_or_doubled_when_the_server_is_killed_again_and_again(
    restartable_nats: RestartableNats,
) -> None:
    await provision(restartable_nats.url)
    team = TeamId(uuid4())
    keys = [deployment_key(team), *(deployment_key() for _ in range(WRITERS - 1))]
    total = WRITERS * EVENTS_EACH
    async with connection(restartable_nats.url, "test") as link:
        log = JetStreamLog(link, INSTALLATION)
        everything = asyncio.create_task(read(log, total))
        of_one_team = asyncio.create_task(read(log, EVENTS_EACH, pattern=f"evt.*.{team}.>"))
        writers = asyncio.gather(*(write(log, key) for key in keys))
        for count in KILLED_AT:
            await read(log, count)
            restartable_nats.kill()
            restartable_nats.start()
        written = await writers

        assert sorted(sequence for each in written for sequence in each) == list(range(1, total + 1))
        assert await log.head() == total
        assert [event.sequence for event in await everything] == list(range(1, total + 1))
        assert [event.sequence for event in await of_one_team] == written[0]
