"""Makes streams, consumers and buckets as this version of the product wants them."""

import os
from collections.abc import Callable

from windlass_eventlog.jetstream.provisioning import provision


async def provision_log(_started: Callable[[], None]) -> None:
    """Provision the NATS server that the settings name, and log what was changed; ends when it is done."""
    for change in await provision(os.environ["WINDLASS_NATS_URL"]):
        print(change)  # noqa: T201 - standard output is the job's log
