"""How long a rollback takes: from the API call until the version that was asked for answers at the address.

Visitors are those of `cutover`: 16 connections that are kept, with 25 requests a second each at most, 5-second
requests, an event stream and a WebSocket. The newest version and an older one take turns: back to the older one, which
is paused by then, and forward to the newest again, which still runs. One connection more asks again and again until the
version that is wanted answers: that is the moment which counts.

Prints where the time goes, then one JSON object:
- `runs`: rollbacks; `rollback_ms_p50`, `rollback_ms_p95`: of all of them, each second one to a paused version;
- `failed`: rollbacks that did not answer within 10 s, requests without their whole answer, and streams that were lost.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.load import Load
from support.platform import Platform
from support.story import Story
from support.versions import PROJECT, Versions, numbered_versions

PAIRS = 8 if os.environ.get("QUICK") else 20
WITHIN_S = 10.0
ASKED = "rollback.requested.v1"
STEPS = {
    "container.resumed.v1": "resume",
    "health.passed.v1": "probe",
    "cutover.started.v1": "claim",
    "aliases.changed.v1": "decide",
    "routes.applied.v1": "confirm",
}
Times = Mapping[str, list[float]]


@dataclass
class Rollbacks:
    """Takes turns under load; `took` are the milliseconds to `paused` and to `running` versions."""

    versions: Versions
    load: Load
    took: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failed: int = 0

    async def take_turns(self) -> None:
        """Go back to each older version, the latest first, and forward again each time."""
        newest = max(self.versions.deployed)
        for older in range(newest - 1, newest - 1 - PAIRS, -1):
            await self._to(older, "paused")
            await self._to(newest, "running")

    async def _to(self, version: int, kind: str) -> None:
        story = Story(self.versions.platform, PROJECT)
        began = time.monotonic()
        asking = asyncio.create_task(asyncio.to_thread(story.ask_back, self.versions.deployed[version]))
        try:
            async with asyncio.timeout(WITHIN_S):
                await self._until_answered_by(version)
        except TimeoutError:
            self.failed += 1
        else:
            self.took[kind].append((time.monotonic() - began) * 1_000)
        await asyncio.to_thread(story.until_moved, await asking)

    async def _until_answered_by(self, version: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.load.port)
        try:
            while await self.load.ask(reader, writer) != str(version):  # noqa: ASYNC110 - as a visitor, who gets no sign
                await asyncio.sleep(0.002)  # so that the one who asks does not take a core from those who are asked
        finally:
            writer.close()


async def roll_back_and_forth(versions: Versions) -> Rollbacks:
    for _ in range(PAIRS + 1):
        newest = await versions.deploy_next()
    load = Load(versions.platform.port, versions.host)
    rollbacks = Rollbacks(versions, load)
    async with load.running():
        for older in range(newest - PAIRS, newest):
            await asyncio.to_thread(versions.wait_for, {"container.paused.v1"}, versions.deployed[older])
        await rollbacks.take_turns()
    return rollbacks


def steps_of(platform: Platform) -> Mapping[str, Times]:
    """Return how long each step took, in ms, by the first step of the rollback; event by event as the log has them."""
    stories: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
    for event in platform.events():
        if event["type"] == ASKED or (event["type"] in STEPS and event["correlation"] in stories):
            at = datetime.fromisoformat(event["time"]).timestamp() * 1_000
            stories[event["correlation"]].append((STEPS.get(event["type"], ""), at))
    found: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for story in stories.values():
        for (_, before), (step, at) in pairwise(story):
            found["paused" if story[1][0] == "resume" else "running"][step].append(at - before)
    return found


def report(rollbacks: Rollbacks) -> None:
    for kind, steps in steps_of(rollbacks.versions.platform).items():
        parts = ", ".join(f"{step} {median(times):.0f}" for step, times in steps.items())
        took = rollbacks.took[kind]
        print(f"to {kind} versions: {len(took)} runs, p50 {median(took):.0f} ms, steps' p50 in ms: {parts}")
    load = rollbacks.load
    for reason in load.reasons[:20]:
        print(reason, file=sys.stderr)
    took = [one for kind in rollbacks.took.values() for one in kind]
    print(
        json.dumps(
            {
                "runs": len(took),
                "rollback_ms_p50": round(median(took), 1),
                "rollback_ms_p95": round(quantiles(took, n=20)[-1], 1),
                "failed": rollbacks.failed + load.failed + load.long_lost + load.streams_lost,
            }
        )
    )


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="windlass-bench-") as folder,
        numbered_versions(Path(folder)) as versions,
    ):
        report(asyncio.run(roll_back_and_forth(versions)))


if __name__ == "__main__":
    main()
