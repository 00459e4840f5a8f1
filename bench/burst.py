"""Fifty pushes at once, five to each of ten projects, until each has its end, against the same containers by hand.

The later pushes of a branch take the place of the earlier ones: as many containers as Windlass starts for it are made
and started by hand (git fetch, docker build, hardened docker run, first answer), as many at once as it builds at once.
With QUICK, half of them by hand stand for all. Prints one JSON object: accepted, ended, lost, ack_ms_p99 and ratio (of
the two times).
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from asyncio import StreamReader
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import uvloop

from support.by_hand import EXAMPLE, ByHand, new_commit
from support.git_server import Repository, make_repository, smart_http
from support.github_sender import payload, push, request_bytes
from support.platform import Platform
from support.ports import free_port

PROJECTS = 10
PUSHES = 5
QUICK = bool(os.environ.get("QUICK"))
BEGAN = time.monotonic()
AT_ONCE = 2
"""How many builds a builder has under way, unless it is told otherwise."""
ENDS = {f"deployment.{end}.v1": end for end in ("live", "failed", "canceled", "superseded")}


@dataclass(frozen=True, slots=True)
class Pushed:
    """A project, the commits that are pushed to it, and who tells of them."""

    slug: str
    url: str
    commits: tuple[str, ...]
    secret: str


def made(platform: Platform, folder: Path, base: str, number: int) -> Pushed:
    """Make a project with a version that is live, and the commits that follow it."""
    slug = f"burst-{number}"
    repository = make_repository(folder / slug, {"server.py": EXAMPLE.read_text()})
    url = f"{base}/{slug}"
    status, answer = platform.api("POST", "/deployments", {"git": url, "ref": "main", "project": slug})
    assert status == HTTPStatus.ACCEPTED, answer
    _, told = platform.api("GET", f"/projects/{slug}/webhooks?at_least={answer['sequence']}")
    commits = tuple(new_commit(repository)[0] for _ in range(PUSHES))
    return Pushed(slug, url, commits, told["github"]["secret"])


def until_all_ended(events: Iterator[Mapping[str, Any]], wanted: int, trigger: str) -> tuple[dict[str, str], int, int]:
    """Return how each deployment of a trigger ended, how many got a container, and the last sequence."""
    ends: dict[str, str] = {}
    asked, started = set[str](), set[str]()
    for event in events:
        about = event["about"]
        if event["type"] == "deployment.requested.v1" and event["data"]["trigger"] == trigger:
            asked.add(about)
        elif about in asked and event["type"] == "container.started.v1":
            started.add(about)
        elif about in asked and event["type"] in ENDS:
            ends[about] = ENDS[event["type"]]
            if len(ends) == wanted:
                return ends, len(started), event["sequence"]
    return ends, len(started), 0


def request(platform: Platform, project: Pushed, commit: str) -> bytes:
    """Return the push of a commit, signed."""
    about = payload("push")["repository"]
    about.update(clone_url=project.url, html_url=project.url, git_url=project.url, ssh_url=project.url)
    body = json.dumps(push(commit=commit, repository=about), separators=(",", ":")).encode()
    return request_bytes(project.secret, body, f"windlass.localhost:{platform.port}", str(uuid4()))


async def pushed(platform: Platform, requests: list[bytes]) -> tuple[list[float], set[str]]:
    """Send everything at once; return how long each answer took, and the deployments that were promised."""
    connections = [await asyncio.open_connection("127.0.0.1", platform.port) for _ in requests]
    milliseconds, promised = [], set[str]()
    began = time.perf_counter()

    async def answered(reader: StreamReader) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = next(line for line in head.splitlines() if line.startswith("content-length:"))
        body = await reader.readexactly(int(length.partition(":")[2]))
        milliseconds.append((time.perf_counter() - began) * 1_000)
        if int(head.split()[1]) == HTTPStatus.ACCEPTED:
            promised.update(told["deployment"] for told in json.loads(body)["projects"])

    for (_, writer), one in zip(connections, requests, strict=True):
        writer.write(one)
    await asyncio.gather(*(answered(reader) for reader, _ in connections))
    for _, writer in connections:
        writer.close()
    return milliseconds, promised


def by_hand(stack: ExitStack, folder: Path, base: str, containers: int) -> float:
    """Return how many seconds as many containers take, so many at once."""
    hands = []
    for number in range(AT_ONCE):
        repository: Repository = make_repository(folder / f"hand-{number}", {"server.py": EXAMPLE.read_text()})
        scratch = folder.parent / f"hand-{number}"
        scratch.mkdir()
        hand = ByHand(scratch, repository, f"{base}/hand-{number}", f"10.250.{240 + number}")
        hands.append(stack.enter_context(hand))
    for hand in hands:
        hand.deploy()
    some = (containers + 1) // 2 if QUICK else containers
    shares = [len(range(number, some, AT_ONCE)) for number in range(AT_ONCE)]
    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(lambda share: [hands[share[0]].deploy() for _ in range(share[1])], enumerate(shares)))
    return (time.perf_counter() - began) * containers / some


def say(what: str) -> None:
    print(f"{time.monotonic() - BEGAN:5.1f} s: {what}", file=sys.stderr, flush=True)


def main() -> None:
    with ExitStack() as stack:
        say("starting an installation")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="windlass-bench-")))
        base = stack.enter_context(smart_http(folder / "git"))
        environment = {"WINDLASS_LOOPBACK_REPOSITORIES": "true"}
        platform = stack.enter_context(Platform(folder / "home", free_port(), "docker", environment))
        say(f"deploying {PROJECTS} projects")
        projects = [made(platform, folder / "git", base, number) for number in range(PROJECTS)]
        _, _, sequence = until_all_ended(platform.follow_events(), PROJECTS, "api")
        say(f"pushing {PROJECTS * PUSHES} times at once")
        requests = [request(platform, one, one.commits[turn]) for turn in range(PUSHES) for one in projects]
        began = time.perf_counter()
        milliseconds, promised = uvloop.run(pushed(platform, requests))
        ends, started, _ = until_all_ended(platform.follow_events(sequence), len(promised), "webhook")
        seconds = time.perf_counter() - began
        say(f"all ended; {started} containers by hand, {AT_ONCE} at once")
        hand = by_hand(stack, folder / "git", base, started)
        say("done; clearing away")
    how = {end: list(ends.values()).count(end) for end in sorted(set(ends.values()))}
    say(f"ended: {how}; {started} containers: {seconds:.1f} s, by hand {hand:.1f} s")
    result = {
        "accepted": len(promised),
        "ended": len(ends.keys() & promised),
        "lost": len(promised - ends.keys()),
        "ack_ms_p99": round(sorted(milliseconds)[int(len(milliseconds) * 0.99) - 1], 1),
        "ratio": round(seconds / hand, 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
