"""What visitors lose while a project is deployed 20 times: nothing, if all is well.

Visitors are 16 connections that are kept, each with a request 40 ms after the one before (25 a second at most, so that
the load leaves the cores to the platform), 5-second requests, one beginning each second, and one event stream and one
WebSocket that are open from before the first cutover until after the last. Replaced versions may be paused 2 s after
the routes left them, which is sooner than those requests end.

Prints one JSON object:
- `cutovers`: deployments that became live, each after the one before;
- `requests`: short requests that were answered; `failed`: those that were not, with 200, within 3 s;
- `wrong`: answers by a version older than the one that the log had said to be live before the request was sent, or
  older than one that the same connection had been answered by before;
- `long_lost`: 5-second requests that did not get their whole answer;
- `streams_lost`: of the two streams, those that were closed, missed something, or said nothing for 3 s.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.load import Load
from support.versions import SHORT_RETIREMENT, Versions, numbered_versions

CUTOVERS = 20
UNTIL_PAUSED_S = SHORT_RETIREMENT["drain_s"] + SHORT_RETIREMENT["grace_s"] + 1


async def cut_over(versions: Versions) -> Load:
    """Deploy again and again under load, and go on until the last replaced version would be paused."""
    load = Load(versions.platform.port, versions.host, live=await versions.deploy_next())
    async with load.running():
        for _ in range(CUTOVERS):
            load.live = await versions.deploy_next()
        await asyncio.sleep(UNTIL_PAUSED_S)
    return load


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="windlass-bench-") as folder,
        numbered_versions(Path(folder)) as versions,
    ):
        load = asyncio.run(cut_over(versions))
    for reason in load.reasons[:20]:
        print(reason, file=sys.stderr)
    print(
        json.dumps(
            {
                "cutovers": len(versions.deployed) - 1,
                "requests": load.requests,
                "failed": load.failed,
                "wrong": load.wrong,
                "long_lost": load.long_lost,
                "streams_lost": load.streams_lost,
            }
        )
    )


if __name__ == "__main__":
    main()
