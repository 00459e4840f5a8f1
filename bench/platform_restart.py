"""What visitors lose while all five services are killed at once, and started again by their supervisor: nothing.

Visitors are those of `rollback`: 16 connections that are kept, 5-second requests, an event stream and a WebSocket. Each
time a deployment is under way: gateway, builder, monitor, router and logs get SIGKILL right behind one another when its
build begins, the supervisor starts them again, and the deployment goes live all the same. Traefik stays throughout, by
its process. They are killed 10 times, never before they ran for ten seconds, for what dies sooner is waited for
longer; with QUICK=1, 3 times at once.

Prints how long it took until all ran again and until the deployment was live, then one JSON object:
- `requests`: short requests that were answered;
- `failed`: those that were not, with 200, within 3 s, or by a version whose turn was over; 5-second requests that did
  not get their whole answer; and streams that were closed, missed something, or said nothing for 3 s.
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.progress import track

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.load import Load
from support.turns import Turns
from support.versions import Versions, numbered_versions
from windlass.up.backoff import HEALTHY_SECONDS

KILLS, BETWEEN_S = (3, 0.0) if os.environ.get("QUICK") else (10, HEALTHY_SECONDS)
SERVICES = ("gateway", "builder", "monitor", "router", "logs")


@dataclass
class Restarts:
    """Kills and waits; all times are in seconds since the kill."""

    versions: Versions
    running_again_s: list[float] = field(default_factory=list)
    live_again_s: list[float] = field(default_factory=list)
    _ready_at: float = field(default_factory=time.monotonic)

    async def kill_all_during(self, turns: Turns) -> None:
        """Deploy the next version, and kill every service once its build has begun."""
        await asyncio.sleep(max(0.0, self._ready_at + BETWEEN_S - time.monotonic()))
        turns.begin(self.versions.next)
        deployment = await asyncio.to_thread(self.versions.ask_next)
        await asyncio.to_thread(self.versions.wait_for, {"build.started.v1"}, deployment)
        began = time.monotonic()
        await asyncio.to_thread(self._kill_all)
        self._ready_at = time.monotonic()
        self.running_again_s.append(self._ready_at - began)
        await asyncio.to_thread(self.versions.wait_for, {"deployment.live.v1"}, deployment)
        self.live_again_s.append(time.monotonic() - began)
        turns.confirm()

    def _kill_all(self) -> None:
        """Kill all services, and wait until the supervisor says of each one that it runs again."""
        up = self.versions.platform.up
        running = up.services()
        for service in SERVICES:
            os.kill(running[f"wl-{service}"], signal.SIGKILL)
        for _ in SERVICES:
            up.wait_for("runs again")


async def restart(versions: Versions) -> tuple[Load, Restarts]:
    turns = Turns([await versions.deploy_next()])
    load, restarts = Load(versions.platform.port, versions.host, turns), Restarts(versions)
    traefik = versions.platform.up.descendant("traefik").pid
    async with load.running():
        for _ in track(range(KILLS), "Kills", console=Console(stderr=True), transient=True):
            await restarts.kill_all_during(turns)
    assert versions.platform.up.descendant("traefik").pid == traefik
    return load, restarts


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="windlass-bench-") as folder,
        numbered_versions(Path(folder)) as versions,
    ):
        load, restarts = asyncio.run(restart(versions))
    for reason in load.reasons[:20]:
        print(reason, file=sys.stderr)
    for what, took in (("all ran again", restarts.running_again_s), ("live", restarts.live_again_s)):
        print(f"{what} after: p50 {median(took):.2f} s, max {max(took):.2f}; {len(took)} kills of all services")
    lost = load.failed + load.wrong + load.long_lost + load.streams_lost
    print(json.dumps({"requests": load.requests, "failed": lost}))


if __name__ == "__main__":
    main()
