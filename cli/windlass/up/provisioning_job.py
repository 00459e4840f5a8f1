"""Makes streams, consumers and buckets as this version of the product wants them, and keeps them so."""

import os
from collections.abc import Callable
from pathlib import Path

from windlass_eventlog.jetstream.connection import connection
from windlass_eventlog.jetstream.keeping import keep
from windlass_eventlog.jetstream.provisioning import provision
from windlass_eventlog.rights import PROVISIONER
from windlass_eventlog.service_log import configure_log


async def provision_log(_started: Callable[[], None]) -> None:
    """Provision the NATS server that the settings name; says in its log what it changed, and ends when it is done."""
    await provision(os.environ["WINDLASS_NATS_URL"], _seed_file())


async def keep_log(started: Callable[[], None]) -> None:
    """Put right what is changed from outside, until cancelled."""
    configure_log()
    async with connection(os.environ["WINDLASS_NATS_URL"], PROVISIONER, _seed_file()) as link:
        started()
        await keep(link)


def _seed_file() -> Path:
    return Path(os.environ["WINDLASS_NATS_SEED_FILE"])
