"""What the visitors of a running app notice while four builds burn CPU, memory and disk: nothing, if all is well.

Two builds run a command on a runner, two a step of a Dockerfile. Each has as many processes as the machine has cores,
one that goes through 512 MiB of memory again and again, and one that writes files of 8 MiB and waits for the disk.
Visitors are 4 connections that are kept, each with a request 40 ms after the one before, through the proxy; the same
for as long without any build, right before.

Prints one JSON object: `p99_ratio` (of the time until the whole answer, with the builds against without), `requests`
(that were answered meanwhile), `failed` (that were not, with 200, within 3 s).
"""

import asyncio
import json
import os
import secrets
import statistics
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.git_server import make_repository, smart_http
from support.load import Load
from support.platform import Platform
from support.ports import free_port
from support.runtime_node import RUNNER_IMAGE
from support.story import Story
from support.versions import APP

SECONDS = 10 if os.environ.get("QUICK") else 60
CONNECTIONS = 4
BETWEEN_S = 0.04
PATIENCE_S = 3.0
BUILDS = 4
WARM_UP = 50
MARK = "burning_everything.py"
PROGRAMS = frozenset({MARK.encode(), f"/{MARK}".encode()})
BURNING = """
import os

def compute():
    while True:
        sum(range(1_000_000))

def remember():
    while True:
        held = bytearray(512 << 20)
        for at in range(0, len(held), 4096):
            held[at] = 1

def write():
    number = 0
    while True:
        number = (number + 1) % 20
        with open(f"/tmp/filling-{number}", "wb") as file:
            file.write(bytes(8 << 20))
            file.flush()
            os.fsync(file.fileno())

for work in [compute] * os.cpu_count() + [remember, write]:
    if os.fork() == 0:
        work()
os.wait()
"""


@dataclass
class Visitors:
    """What they waited, in seconds."""

    load: Load
    took: list[float] = field(default_factory=list)
    failed: int = 0

    async def visit(self, seconds: float) -> None:
        ends = monotonic() + seconds
        await asyncio.gather(*(self._one(ends) for _ in range(CONNECTIONS)))

    async def _one(self, ends: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.load.port)
        while (began := monotonic()) < ends:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await self.load.ask(reader, writer)
                self.took.append(monotonic() - began)
            except (OSError, EOFError, TimeoutError, ValueError) as error:
                print(f"{error!r}", file=sys.stderr)
                self.failed += 1
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", self.load.port)
            await asyncio.sleep(max(0.0, BETWEEN_S - (monotonic() - began)))
        writer.close()

    def percentile(self, percent: int) -> float:
        return statistics.quantiles(self.took, n=100)[percent - 1]


def sources() -> dict[str, str]:
    """Return what is built, each Dockerfile with a step of its own: BuildKit takes equal ones for one."""
    files = {f"runner/{MARK}": BURNING}
    for number in range(1, BUILDS, 2):
        files[f"image-{number}/{MARK}"] = BURNING
        lines = (f"FROM {RUNNER_IMAGE}", f"ENV NEVER={secrets.token_hex(8)}", f"COPY {MARK} /", f"RUN python3 /{MARK}")
        files[f"image-{number}/Dockerfile"] = "\n".join(lines)
    return files


def burning() -> int:
    """Return how many builds burn: each has its own first process."""
    found = 0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        found += not PROGRAMS.isdisjoint(words)
    return found


async def begin(platform: Platform, url: str) -> list[tuple[Story, str]]:
    """Request the builds, and return once all of them burn."""
    begun = []
    for number in range(BUILDS):
        story = Story(platform, f"burns-{number}")
        config = {"root": f"image-{number}"} if number % 2 else {"root": "runner", "build_command": f"python3 {MARK}"}
        config |= {"start_command": "sleep 1000"} if number % 2 == 0 else {}
        begun.append((story, await asyncio.to_thread(story.request, url, **config)))
    processes = BUILDS * ((os.cpu_count() or 1) + 3)
    try:
        async with asyncio.timeout(40):
            while burning() < processes:  # noqa: ASYNC110 - nobody says so
                await asyncio.sleep(0.2)
    except TimeoutError:
        print(f"{burning()} of {processes} processes of builds are there", file=sys.stderr)
        for event in platform.events():
            print(event["type"], event["about"], str(event["data"])[:300], file=sys.stderr)
        raise
    return begun


async def measured(platform: Platform, folder: Path, url: str) -> dict[str, float]:
    app = Story(platform, "visited")
    # One that sends an answer in one piece: the two pieces of the standard library's server cost 40 ms of waiting.
    make_repository(folder / "git" / "visited", {"server.py": APP.read_text(), "VERSION": "1"})
    await asyncio.to_thread(app.deploy, f"{url}/visited", start_command="exec python3 server.py")
    load = Load(platform.port, f"visited.localhost:{platform.port}")
    await Visitors(load).visit(WARM_UP * BETWEEN_S)
    idle, starved = Visitors(load), Visitors(load)
    await idle.visit(SECONDS)
    begun = await begin(platform, f"{url}/burning")
    await starved.visit(SECONDS)
    still = burning()
    for _, deployment in begun:
        await asyncio.to_thread(platform.api, "POST", f"/deployments/{deployment}/cancel")
    for name, visitors in (("idle", idle), ("starved", starved)):
        told = ", ".join(f"p{percent} {visitors.percentile(percent) * 1_000:.1f} ms" for percent in (50, 95, 99))
        print(f"{name}: {told}, {len(visitors.took)} requests; {still} processes of builds at the end", file=sys.stderr)
    return {
        "p99_ratio": round(starved.percentile(99) / idle.percentile(99), 2),
        "requests": len(starved.took),
        "failed": starved.failed + idle.failed,
    }


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="windlass-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        make_repository(folder / "git" / "burning", sources())
        url = stack.enter_context(smart_http(folder / "git"))
        environment = {"WINDLASS_LOOPBACK_REPOSITORIES": "true", "WINDLASS_BUILDS_AT_ONCE": str(BUILDS)}
        platform = stack.enter_context(Platform(folder / "home", free_port(), "docker", environment))
        figures = asyncio.run(measured(platform, folder, url))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
