"""Makes streams, consumers and buckets as this version of the product wants them."""

import os
from collections.abc import Callable

from windlass_eventlog.jetstream.provisioning import provision


async def provision_log(_started: Callable[[], None]) -> None:
    """Provision the NATS server that the settings name; says in its log what it changed, and ends when it is done."""
    await provision(os.environ["WINDLASS_NATS_URL"])
