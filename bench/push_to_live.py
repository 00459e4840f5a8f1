"""How long a commit takes to its address, against the same by hand: fetch, docker build, docker run, first answer.

Prints one JSON object: runs, hand_ms_p50, live_ms_p50, ratio_p50, ack_ms_p50 and steps (each step's p50 in ms).
"""

import http.client
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.by_hand import EXAMPLE, ByHand, first_answer, new_commit
from support.git_server import Repository, make_repository, smart_http
from support.platform import Platform
from support.ports import free_port

RUNS = 10 if os.environ.get("QUICK") else 20
STEPS = {
    "build.started.v1": "resolve",
    "build.succeeded.v1": "fetch_and_build",
    "container.started.v1": "start",
    "health.passed.v1": "health",
    "cutover.started.v1": "decide",
    "routes.applied.v1": "route",
    "deployment.live.v1": "live",
}


class ByWindlass:
    """The same by a request to the API."""

    def __init__(self, platform: Platform, repository: Repository, url: str) -> None:
        self.platform = platform
        self.repository = repository
        self.url = url

    def deploy(self) -> tuple[float, float]:
        """Return the milliseconds to the first answer and to the acknowledgement."""
        sha, word = new_commit(self.repository)
        began = time.monotonic()
        status, answer = self.platform.api("POST", "/deployments", {"git": self.url, "ref": sha, "project": "bench"})
        acknowledged = (time.monotonic() - began) * 1_000
        assert status == http.client.ACCEPTED, answer
        first_answer("127.0.0.1", self.platform.port, f"bench.localhost:{self.platform.port}", word)
        return (time.monotonic() - began) * 1_000, acknowledged


def main() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="windlass-bench-")))
        repository = make_repository(folder / "git" / "app", {"server.py": EXAMPLE.read_text()})
        url = stack.enter_context(smart_http(folder / "git")) + "/app"
        environment = {"WINDLASS_LOOPBACK_REPOSITORIES": "true"}
        platform = stack.enter_context(Platform(folder / "home", free_port(), "docker", environment))
        hand = stack.enter_context(ByHand(folder, repository, url))
        windlass = ByWindlass(platform, repository, url)
        windlass.deploy()
        hand.deploy()
        hands, lives, acks = [], [], []
        for _ in range(RUNS):
            hands.append(hand.deploy())
            live, ack = windlass.deploy()
            lives.append(live)
            acks.append(ack)
        steps = steps_of(platform)
    print(
        json.dumps(
            {
                "runs": RUNS,
                "hand_ms_p50": round(median(hands), 1),
                "live_ms_p50": round(median(lives), 1),
                "ratio_p50": round(median(lives) / median(hands), 3),
                "ack_ms_p50": round(median(acks), 1),
                "steps": steps,
            }
        )
    )


def steps_of(platform: Platform) -> Mapping[str, float]:
    """Return each step's median in ms: the time between the event that ends it and the one before."""
    last: dict[str, float] = {}
    durations: defaultdict[str, list[float]] = defaultdict(list)
    for event in platform.events():
        at = datetime.fromisoformat(event["time"]).timestamp()
        story = event["correlation"]
        if event["type"] in STEPS and story in last:
            durations[STEPS[event["type"]]].append((at - last[story]) * 1_000)
        if event["type"] in STEPS or event["type"] == "deployment.requested.v1":
            last[story] = at
    return {step: round(median(values), 1) for step, values in durations.items()}


if __name__ == "__main__":
    main()
