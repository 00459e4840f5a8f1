"""Signed pushes of one repository, offered at a steady rate to one project, each answered once it is durable.

A whole `windlass up` takes them through its proxy, as GitHub sends them: the documented payload, signed, one in twenty
of them a delivery that was sent before. The rate is kept whether or not answers come: an answer's time counts from the
moment at which its delivery was due. What is measured is the way to the durable answer, so the builder is stopped
(SIGSTOP) before the first push: 4,000 builds would measure the machine. It takes none of them up, all that they append
is their request; the gateway, router and monitor read each of those while the pushes come in.

Prints one JSON object: per_s (answers a second), ack_ms_p99, accepted (deliveries answered with 202) and lost: accepted
deliveries without exactly one request in the log, and requests in the log that no accepted delivery accounts for.
"""

import asyncio
import gc
import json
import os
import secrets
import signal
import sys
import tempfile
import time
from asyncio import StreamReader, StreamWriter
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from random import Random
from statistics import quantiles
from uuid import UUID

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import uvloop

from support.github_sender import REPOSITORY, push, request_bytes
from support.platform import Platform
from support.ports import free_port

PER_SECOND = 200
SECONDS = 8 if os.environ.get("QUICK") else 20
WARM_UP = 100
ONE_IN_IS_SENT_AGAIN = 20
CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request as it goes over the wire."""

    id: str
    request: bytes


@dataclass
class Sender:
    """Makes deliveries, and sends them over connections that are kept."""

    port: int
    secret: str
    random: Random = field(default_factory=lambda: Random(3))  # noqa: S311 - which deliveries are sent again
    sent: list[Delivery] = field(default_factory=list)
    _idle: asyncio.Queue[tuple[StreamReader, StreamWriter]] = field(default_factory=asyncio.Queue)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        for _ in range(CONNECTIONS):
            self._idle.put_nowait(await asyncio.open_connection("127.0.0.1", self.port))
        try:
            yield
        finally:
            while not self._idle.empty():
                self._idle.get_nowait()[1].close()

    def next_delivery(self) -> Delivery:
        """Return a new push, or one in twenty times one that was sent before."""
        if self.sent and self.random.randrange(ONE_IN_IS_SENT_AGAIN) == 0:
            return self.random.choice(self.sent)
        delivery = self._delivery()
        self.sent.append(delivery)
        return delivery

    def _delivery(self) -> Delivery:
        body = json.dumps(push(commit=secrets.token_hex(20)), separators=(",", ":")).encode()
        identity = str(UUID(int=self.random.getrandbits(128)))
        return Delivery(identity, request_bytes(self.secret, body, f"windlass.localhost:{self.port}", identity))

    async def send(self, delivery: Delivery) -> tuple[int, bytes]:
        """Return status and body of the answer."""
        reader, writer = await self._idle.get()
        writer.write(delivery.request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = next(line for line in head.lower().splitlines() if line.startswith("content-length:"))
        body = await reader.readexactly(int(length.partition(":")[2]))
        self._idle.put_nowait((reader, writer))
        return int(head.split()[1]), body


@dataclass
class Acknowledged:
    """What was answered: each delivery's deployments, and how long each answer took."""

    deployments: dict[str, set[str]] = field(default_factory=dict)
    milliseconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    async def one(self, sender: Sender, delivery: Delivery, due: float) -> None:
        status, body = await sender.send(delivery)
        self.milliseconds.append((time.perf_counter() - due) * 1_000)
        self.statuses[status] += 1
        if status == HTTPStatus.ACCEPTED:
            (project,) = json.loads(body)["projects"]
            self.deployments.setdefault(delivery.id, set()).add(project["deployment"])


async def offer(sender: Sender, count: int, per_second: float) -> tuple[Acknowledged, float]:
    """Send deliveries at a steady rate; return what was answered, and the seconds until the last answer."""
    done = Acknowledged()
    deliveries = [sender.next_delivery() for _ in range(count)]
    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number, delivery in enumerate(deliveries):
            due = began + number / per_second
            await asyncio.sleep(due - time.perf_counter())
            tasks.create_task(done.one(sender, delivery, due))
    return done, time.perf_counter() - began


def requested(platform: Platform) -> Counter[str]:
    """Return how often each deployment of a push was requested, by the log."""
    events = [event for event in platform.events() if event["type"] == "deployment.requested.v1"]
    return Counter(event["about"] for event in events if event["data"]["trigger"] == "webhook")


async def run(platform: Platform) -> dict[str, float]:
    status, created = platform.api("POST", "/deployments", {"git": REPOSITORY})
    assert status == HTTPStatus.ACCEPTED, created
    _, told = platform.api("GET", f"/projects/shop/webhooks?at_least={created['sequence']}")
    sender = Sender(platform.port, told["github"]["secret"])
    async with sender.connected():
        warm, _ = await offer(sender, WARM_UP, PER_SECOND / 4)
        gc.collect()
        done, seconds = await offer(sender, PER_SECOND * SECONDS, PER_SECOND)
    print(f"answers: {dict(done.statuses)}", file=sys.stderr)
    acknowledged = Counter(one for ids in (warm.deployments | done.deployments).values() for one in ids)
    log = requested(platform)
    wrong = [one for one in acknowledged.keys() | log.keys() if (acknowledged[one], log[one]) != (1, 1)]
    return {
        "per_s": round(len(done.milliseconds) / seconds, 1),
        "ack_ms_p99": round(quantiles(done.milliseconds, n=100)[98], 1),
        "accepted": done.statuses[HTTPStatus.ACCEPTED],
        "lost": len(wrong),
    }


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="windlass-bench-") as folder,
        Platform(Path(folder) / "home", free_port(), "process") as platform,
    ):
        os.kill(platform.up.services()["wl-builder"], signal.SIGSTOP)
        result = uvloop.run(run(platform))
        platform.kill()  # a builder that does not run cannot stop in order
    print(json.dumps(result))


if __name__ == "__main__":
    main()
