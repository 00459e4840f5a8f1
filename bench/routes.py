"""How long a change of routes takes until it is live, against what Traefik takes for the same file written by hand.

There are 10, 100 and 1,000 projects, each with a host of its own that is live, in real NATS and PostgreSQL; the
router's publisher reads their rows, writes the file, and asks a real Traefik until that serves it. What is timed is
one project's change from one version to another: from the moment at which the rows know the decision until the
publisher says that it is served. By hand, the very same file takes the other one's place, and the host is asked until
it answers with the other version.

Prints one JSON object: ratio (of the medians, the worst of all sizes) and live_ms_p50 (by size).
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import httpx
import uvloop

from support.nats import running_nats
from support.postgres import running_postgres
from support.running_service import INSTALLATION, environment, settings_of_a_service
from support.told_deployment import ToldDeployment
from support.traefik import MARKER_PATH, TraefikServer, backend, running_traefik
from windlass_contracts.events import Healthy
from windlass_contracts.ids import DeploymentId
from windlass_contracts.subjects import AggregateKey, Service
from windlass_eventlog.background import background
from windlass_eventlog.clock import utc_now
from windlass_eventlog.jetstream.connection import connection
from windlass_eventlog.jetstream.log import JetStreamLog
from windlass_eventlog.jetstream.provisioning import provision
from windlass_eventlog.link import Link
from windlass_eventlog.service import connected
from windlass_router.adapters.proxies import Proxies
from windlass_router.adapters.routes_file import FILE, RoutesFile
from windlass_router.adapters.traefik import Traefik
from windlass_router.application.projections import ALL
from windlass_router.application.publisher import Publisher
from windlass_router.domain.configuration import Site
from windlass_router.settings import RouterSettings

SIZES = (10, 100, 1_000)
PAIRS = 4 if os.environ.get("QUICK") else 20
AT_ONCE = 64
_PATIENCE = timedelta(seconds=30)
_DOMAIN = "localhost"


def log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@dataclass(slots=True)
class Changing:
    """The project that changes, between two versions of it, each with the one word that it answers."""

    versions: Sequence[tuple[ToldDeployment, str]]
    at: int = 0

    @property
    def host(self) -> str:
        return f"{self.versions[0][0].alias}.{_DOMAIN}"

    @property
    def says(self) -> str:
        return self.versions[self.at][1]

    async def change(self) -> int:
        """Decide that the other version answers, and return the sequence."""
        before, self.at = self.versions[self.at][0], 1 - self.at
        return await self.versions[self.at][0].answers(before)


@dataclass(slots=True)
class Bench:
    """A publisher over rows, the Traefik that it writes for, and a visitor."""

    link: Link
    publisher: Publisher
    traefik: TraefikServer
    visitor: httpx.AsyncClient
    changing: Changing

    @property
    def file(self) -> Path:
        return self.traefik.folder / FILE

    async def answer(self) -> str:
        return (await self.visitor.get(self.traefik.url, headers={"Host": self.changing.host})).text

    async def by_windlass(self) -> float:
        """Return the milliseconds."""
        sequence = await self.changing.change()
        await self.link.rows.reached(sequence)
        begun = time.perf_counter()
        await self.publisher.publish(sequence, utc_now() + _PATIENCE)
        took = time.perf_counter() - begun
        assert (said := await self.answer()) == self.changing.says, said
        return took * 1_000

    async def by_hand(self, content: bytes, says: str) -> float:
        """Return the milliseconds."""
        begun = time.perf_counter()
        beside = self.traefik.folder.parent / "by-hand"
        beside.write_bytes(content)
        beside.replace(self.file)
        while await self.answer() != says:  # noqa: ASYNC110 - there is no signal to wait for
            await asyncio.sleep(0.001)
        return (time.perf_counter() - begun) * 1_000

    async def measured(self) -> tuple[list[float], list[float]]:
        """Return the milliseconds by Windlass and by hand, in turns, so that both meet the same machine."""
        ours: list[float] = []
        theirs: list[float] = []
        await self.by_windlass()
        for _ in range(PAIRS):
            files: list[tuple[bytes, str]] = []
            for _ in range(2):
                ours.append(await self.by_windlass())
                files.append((self.file.read_bytes(), self.changing.says))
            theirs += [await self.by_hand(content, says) for content, says in files]
        return ours, theirs


async def live(told: ToldDeployment, at: tuple[str, int]) -> None:
    """Let a version be healthy in one container."""
    await told.built()
    container = f"run-{told.key.id.hex[:8]}"
    await told.started(container, at[1], address=at[0])
    await told.tell(Service.MONITOR, Healthy(container=container, probe="http", status=200, tries=1, duration_ms=1))


async def tell(log_: JetStreamLog, count: int, at: tuple[str, int]) -> int:
    """Tell of that many projects whose environment answers, and return the last sequence."""
    alone = asyncio.Semaphore(AT_ONCE)

    async def one() -> int:
        async with alone:
            told = ToldDeployment(log_)
            await live(told, at)
            return await told.answers()

    return max(await asyncio.gather(*(one() for _ in range(count))), default=0)


async def changing(log_: JetStreamLog, places: Sequence[tuple[tuple[str, int], str]]) -> Changing:
    """Tell of a project with a version at each place."""
    first = ToldDeployment(log_)
    team, project = first.key.team, first.key.project
    assert project is not None
    other = AggregateKey.of_deployment(team, project, DeploymentId(uuid4()))
    both = (first, ToldDeployment(log_, key=other, environment=first.environment))
    for told, (at, _) in zip(both, places, strict=True):
        await live(told, at)
    return Changing([(told, says) for told, (_, says) in zip(both, places, strict=True)])


def publisher(link: Link, settings: RouterSettings, traefik: TraefikServer, proxies: Proxies) -> Publisher:
    """Return the router's own, as `app` wires it."""
    base = json.loads(traefik.base.read_bytes())
    site = Site(settings.domain, settings.gateway_port, settings.marker_path, base)
    return Publisher(link.rows, proxies, site, link.append.clock)


async def measure(url: str, traefik: TraefikServer) -> dict[str, object]:
    settings = RouterSettings()
    ratios: list[float] = []
    live_ms: dict[int, float] = {}
    async with AsyncExitStack() as stack:
        log_ = JetStreamLog(await stack.enter_async_context(connection(url, "bench")), INSTALLATION)
        places = [(await stack.enter_async_context(backend(says)), says) for says in ("one", "two")]
        visitor = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
        asked = Traefik.at("node-1", traefik.url, traefik.api_url, MARKER_PATH)
        proxies = stack.enter_context(closing(Proxies(RoutesFile(traefik.folder), [asked])))
        link = await stack.enter_async_context(connected(Service.ROUTER, settings, projections=ALL))
        publishing = publisher(link, settings, traefik, proxies)
        await stack.enter_async_context(background(publishing.run()))
        bench = Bench(link, publishing, traefik, visitor, await changing(log_, places))
        told = 1
        for size in SIZES:
            await tell(log_, size - told, places[0][0])
            told = size
            ours, theirs = await bench.measured()
            log(f"{size} hosts: {median(ours):.0f} ms, by hand {median(theirs):.0f} ms")
            live_ms[size] = round(median(ours), 1)
            ratios.append(median(ours) / median(theirs))
    return {"ratio": round(max(ratios), 2), "live_ms_p50": live_ms}


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="windlass-bench-") as temporary,
        running_nats(Path(temporary)) as nats,
        running_postgres() as postgres,
    ):
        folder = Path(temporary) / "traefik"
        folder.mkdir()
        with running_traefik(folder) as traefik:
            settings = {
                **settings_of_a_service(Path(temporary), nats, postgres.url("postgres"), Service.ROUTER),
                "WINDLASS_GATEWAY_PORT": "4000",
                "WINDLASS_TRAEFIK_DIR": str(traefik.folder),
                "WINDLASS_TRAEFIK_BASE": str(traefik.base),
                "WINDLASS_TRAEFIK_URL": traefik.url,
                "WINDLASS_TRAEFIK_API_URL": traefik.api_url,
                "WINDLASS_MARKER_PATH": MARKER_PATH,
            }
            uvloop.run(provision(nats))
            with environment(settings):
                print(json.dumps(uvloop.run(measure(nats, traefik))))


if __name__ == "__main__":
    main()
