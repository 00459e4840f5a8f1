"""What visitors lose while a project is deployed 100 times, and rolled back each fifth time: nothing, if all is well.

Visitors are 32 connections that are kept, all of them together with 400 requests a second at most (so that the load
leaves the cores to the platform), 5-second requests, one beginning each second until the last cutover, and one event
stream and one WebSocket that are open from before the first cutover until after the last. Replaced versions may be
paused 2 s after the routes left them, which is sooner than those requests end. A rollback goes to the version before,
the next deployment on from there. QUICK=1 deploys 20 times, beside half as many requests.

Prints one JSON object:
- `cutovers`: deployments that became live, each after the one before;
- `requests`: short requests that were answered; `failed`: those that were not, with 200, within 3 s;
- `wrong`: answers by a version whose turn was over: before the request was sent, the log had said that another one has
  its place, or the same connection had been answered by its successor;
- `long_lost`: 5-second requests that did not get their whole answer;
- `streams_lost`: of the two streams, those that were closed, missed something, or said nothing for 3 s.
"""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import track

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.load import Load
from support.story import Story
from support.turns import Turns
from support.versions import PROJECT, SHORT_RETIREMENT, Versions, numbered_versions

QUICK = bool(os.environ.get("QUICK"))
CUTOVERS, REQUESTS_PER_S = (20, 200.0) if QUICK else (100, 400.0)
ROLLBACK_AFTER = 5
CONNECTIONS = 32
UNTIL_PAUSED_S = SHORT_RETIREMENT["drain_s"] + SHORT_RETIREMENT["grace_s"] + 1


async def cut_over(versions: Versions) -> Load:
    """Deploy again and again under load, and go on until the last replaced version would be paused."""
    turns = Turns([await versions.deploy_next()])
    load = Load(versions.platform.port, versions.host, turns, CONNECTIONS, REQUESTS_PER_S)
    steps = track(range(1, CUTOVERS + 1), "Cutovers", console=Console(stderr=True), transient=True)
    async with load.running():
        for number in steps:
            turns.begin(versions.next)
            await versions.deploy_next()
            turns.confirm()
            if number % ROLLBACK_AFTER == 0:
                await roll_back(versions, turns)
        load.begin_no_more_slow()  # those under way outlast the pausing; a new one would go to what is not paused
        await asyncio.sleep(UNTIL_PAUSED_S)
    return load


async def roll_back(versions: Versions, turns: Turns) -> None:
    """Go back to the version before the newest."""
    earlier = max(versions.deployed) - 1
    turns.begin(earlier)
    await asyncio.to_thread(Story(versions.platform, PROJECT).roll_back, versions.deployed[earlier])
    turns.confirm()


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
