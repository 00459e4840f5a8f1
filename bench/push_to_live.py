"""How long a commit takes to its address, against the same by hand: fetch, docker build, docker run, first answer.

Prints one JSON object: runs, hand_ms_p50, live_ms_p50, ratio_p50, ack_ms_p50 and steps (each step's p50 in ms).
"""

import http.client
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Self

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.git_server import Repository, make_repository, smart_http
from support.platform import Platform
from support.ports import free_port

RUNS = 10 if os.environ.get("QUICK") else 20
RUNNER = "windlass/runner-python:3.11"
EXAMPLE = Path(__file__).parent.parent / "examples" / "hello-python" / "server.py"
STEPS = {
    "build.started.v1": "resolve",
    "build.succeeded.v1": "fetch_and_build",
    "container.started.v1": "start",
    "health.passed.v1": "health",
    "cutover.started.v1": "decide",
    "routes.applied.v1": "route",
    "deployment.live.v1": "live",
}
HARDENED = (
    *("--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory=512m", "--cpus=1", "--pids-limit=256", "--init"),
    *("--log-driver=local", "--tmpfs=/tmp", "--user=10001:10001"),
)


def first_answer(host: str, port: int, header: str, expected: str) -> None:
    """Ask until the expected commit answers; asking again at once is what a waiting user's reload comes to."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        connection = http.client.HTTPConnection(host, port, timeout=5)
        try:
            connection.request("GET", "/", headers={"Host": header})
            if expected in connection.getresponse().read().decode():
                return
        except OSError:
            pass  # it does not listen yet: asked again below
        finally:
            connection.close()
        time.sleep(0.003)
    message = f"{header} did not answer with {expected}"
    raise TimeoutError(message)


def new_commit(repository: Repository) -> tuple[str, str]:
    """Return the SHA of a new commit and the word that its answer contains."""
    word = secrets.token_hex(6)
    return repository.commit({"server.py": EXAMPLE.read_text().replace("Hello from", f"{word} from")}), word


class ByHand:
    """What somebody who knows the commands does, in a network with addresses of its own choosing."""

    def __init__(self, folder: Path, repository: Repository, url: str) -> None:
        self.name = f"windlass-bench-{secrets.token_hex(4)}"
        self.mirror = folder / "mirror.git"
        self.folder = folder
        self.repository = repository
        self.url = url
        self.run = 0

    def __enter__(self) -> Self:
        command("git", "init", "--quiet", "--bare", str(self.mirror))
        command("docker", "network", "create", "--subnet=10.250.250.0/24", self.name)
        return self

    def __exit__(self, *_: object) -> None:
        for run in range(1, self.run + 1):
            command("docker", "rm", "--force", f"{self.name}-{run}")
            command("docker", "rmi", "--force", f"{self.name}:{run}")
        command("docker", "network", "rm", self.name)

    def deploy(self) -> float:
        """Return the milliseconds from the first command to the first answer."""
        sha, word = new_commit(self.repository)
        self.run += 1
        context = self.folder / f"context-{self.run}"
        context.mkdir()
        image, address = f"{self.name}:{self.run}", f"10.250.250.{self.run + 10}"
        began = time.monotonic()
        git = ("git", "-C", str(self.mirror))
        command(*git, "fetch", "--quiet", "--depth", "1", self.url, sha)
        command("sh", "-c", f"git -C {self.mirror} archive {sha} | tar -x -C {context}")
        (context / "Dockerfile").write_text(f"FROM {RUNNER}\nCOPY server.py /app/server.py\n")
        command("docker", "build", "--quiet", "--tag", image, str(context))
        where = ("--name", f"{self.name}-{self.run}", "--network", self.name, "--ip", address)
        told = ("--env", "PORT=8000", "--env", f"WINDLASS_COMMIT={sha}")
        command("docker", "run", "--detach", *HARDENED, *where, *told, image, "python3", "/app/server.py")
        first_answer(address, 8000, "app", word)
        return (time.monotonic() - began) * 1_000


def command(*arguments: str) -> None:
    subprocess.run(arguments, check=True, capture_output=True)


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
