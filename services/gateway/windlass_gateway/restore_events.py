"""`python -m windlass_gateway.restore_events`: makes a lost stream again from the raw copy, before any service starts.

Reads WINDLASS_NATS_URL (of a user who may append in every service's name) and WINDLASS_DATABASE_URL (the gateway's).
"""

import asyncio
import os
import sys

from windlass_eventlog.jetstream.restoring import restore
from windlass_eventlog.postgres.database import database
from windlass_gateway.adapters.event_copy import copied_messages, latest_copy


async def restored(nats_url: str, database_url: str) -> int:
    """Restore the copy that was begun last, and return the stream's last sequence.

    Raises:
        LookupError: there is no copy.
        EventLogError: NATS or PostgreSQL do not answer, or something else stands in the stream.
    """
    async with database(database_url, "restore") as own:
        copy = await latest_copy(own)
        if copy is None:
            raise LookupError("There is no copy of any event in this database.")
        return await restore(nats_url, copied_messages(own, copy))


if __name__ == "__main__":
    last = asyncio.run(restored(os.environ["WINDLASS_NATS_URL"], os.environ["WINDLASS_DATABASE_URL"]))
    sys.stdout.write(f"EVENTS ends at sequence {last}. Start the services, then: windlass rebuild --all\n")
