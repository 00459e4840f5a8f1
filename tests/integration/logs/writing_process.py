"""Writes numbered lines to a log as a container's reader would, from where the log ends, until they are all written.

Three lines share each nanosecond, so that a time alone does not say where to go on.
"""

import asyncio
import sys
from uuid import UUID

from windlass_contracts.ids import DeploymentId, ProjectId, TeamId
from windlass_eventlog.jetstream.connection import connection
from windlass_eventlog.logs.jetstream import JetStreamLogStore
from windlass_eventlog.logs.port import DeploymentLog, RawLine
from windlass_eventlog.logs.redaction import Redaction
from windlass_eventlog.logs.resumption import resume_point
from windlass_eventlog.logs.throttle import Rate
from windlass_eventlog.logs.writer import LogWriter

SOURCE = "web-0"
LINES_AT_ONCE = 3


async def main(url: str, team: str, project: str, deployment: str, count: str) -> None:
    log = DeploymentLog(TeamId(UUID(team)), ProjectId(UUID(project)), DeploymentId(UUID(deployment)))
    async with connection(url, "logs") as nats:
        store = JetStreamLogStore(nats)
        point = await resume_point(store, log, SOURCE)
        start = 0 if point is None else point.time_ns * LINES_AT_ONCE + point.seen
        async with LogWriter(store, log, SOURCE, Redaction([]), rate=Rate(burst=int(count))) as writer:
            for number in range(start, int(count)):
                await writer.write(RawLine(number // LINES_AT_ONCE, "out", b"line %d" % number))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
