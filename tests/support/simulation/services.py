"""The five services, wired by their own `app.work` over the log, node and proxy of a simulation."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast
from uuid import UUID

from support.simulation.consumer import Consumer, UnsettledOf
from support.simulation.log import BucketOf, LogOf, SimulatedLog, SimulatedRows, SimulatedVault
from support.simulation.loop import VirtualLoop
from support.simulation.names import INSTALLATION
from support.simulation.node import Node, NodeOf
from support.simulation.outside import Output, Probes, ProxyOf, Repositories, SimulatedProxy, Visitors, listing
from support.simulation.process import Process
from support.traefik import MARKER_PATH
from windlass_builder import app as builder
from windlass_builder.application.intents import Intents
from windlass_builder.application.node import Node as NodeName
from windlass_builder.domain.room import DiskLevel
from windlass_builder.from_settings import Sources
from windlass_contracts.subjects import Service
from windlass_eventlog.appender import Appender
from windlass_eventlog.attending import Attending
from windlass_eventlog.buckets import Bucket
from windlass_eventlog.dead_letters.letter import DEAD_LETTERS
from windlass_eventlog.folding import AnyProjection
from windlass_eventlog.frames.memory import MemoryFrames
from windlass_eventlog.keys import Keys
from windlass_eventlog.link import Link
from windlass_eventlog.log import EventLog
from windlass_eventlog.logs.memory import MemoryLogStore
from windlass_eventlog.memory import MemoryAudit, MemoryKeyValue, MemoryObjects
from windlass_eventlog.operations import Answering
from windlass_eventlog.operations.verifying import Check
from windlass_eventlog.reactor import Reactor
from windlass_gateway.application import projections as gateway_projections
from windlass_gateway.application.deadlines import DeadlineKeeper
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.personal import Personal
from windlass_logs import app as logs
from windlass_logs.application import projections as logs_projections
from windlass_monitor import app as monitor
from windlass_monitor.application import projections as monitor_projections
from windlass_monitor.application.engine import NoEngine
from windlass_router import app as router
from windlass_router.application import projections as router_projections
from windlass_router.domain.configuration import Site

if TYPE_CHECKING:
    from windlass_eventlog.postgres.database import Database

NODE = "one"
SITE = Site("localhost", 4000, MARKER_PATH)

PROJECTIONS: dict[Service, Sequence[AnyProjection]] = {
    Service.GATEWAY: gateway_projections.ALL,
    Service.BUILDER: builder.PROJECTIONS,
    Service.MONITOR: monitor_projections.ALL,
    Service.ROUTER: router_projections.ALL,
    Service.LOGS: (logs_projections.DEPLOYMENTS,),
}


def projections_of(service: Service) -> Sequence[AnyProjection]:
    """Return all that a service keeps, as `connected` has it."""
    return list(dict.fromkeys((*PROJECTIONS[service], DEAD_LETTERS)))


@dataclass(frozen=True, slots=True)
class Wiring:
    """What stands between the services and their ports; a test that plants a bug puts something else there."""

    log: Callable[[LogOf], EventLog] = lambda log: log
    reactors: Callable[[Sequence[Reactor]], Sequence[Reactor]] = lambda reactors: reactors
    acknowledges_first: bool = False


class Surroundings(Protocol):
    """What outlives the processes."""

    wiring: Wiring
    loop: VirtualLoop
    log: SimulatedLog
    node: Node
    proxy: SimulatedProxy
    visitors: Visitors
    repositories: Repositories
    lines: MemoryLogStore
    rows: dict[Service, SimulatedRows]
    consumers: dict[Service, Consumer]
    buckets: dict[Bucket, MemoryKeyValue]
    keys: Keys
    scratch: Path
    intents: Intents
    disk_level: DiskLevel

    def clock(self) -> datetime: ...
    def fresh(self) -> UUID: ...


async def serve(around: Surroundings, process: Process) -> None:
    """Do the work of one life of a service, from its start on, until it is killed."""
    rows = around.rows[process.service]
    rows.stay_at(None)
    link = _link(around, process)

    def started() -> None:
        process.ready = True

    match process.service:
        case Service.GATEWAY:
            await _gateway(around, process, link, started)
        case Service.BUILDER:
            sources = Sources(around.repositories, listing)
            await builder.work(link, NodeOf(around.node, process), sources, _node(around), started)
        case Service.MONITOR:
            await monitor.work(link, Probes(around.node, around.loop), around.visitors, NoEngine(), started)
        case Service.ROUTER:
            await router.work(link, ProxyOf(around.proxy, process), SITE, started)
        case Service.LOGS:
            await logs.work(link, Output(around.node), NODE, started)


def _rewired(around: Surroundings, attending: Attending) -> Attending:
    reaction = attending.reaction
    return replace(attending, reaction=replace(reaction, reactors=around.wiring.reactors(reaction.reactors)))


def _nothing_to_operate(_checks: Sequence[Check]) -> Answering:
    raise AssertionError("nobody operates a simulated service")


async def _nothing_to_wait_for() -> None:
    """Simulated rows are never behind at the start."""


def _node(around: Surroundings) -> NodeName:
    return NodeName(
        NODE,
        INSTALLATION,
        "memory",
        {"python": "python"},
        around.scratch,
        2**30,
        intents=around.intents,
        disk_level=lambda: around.disk_level,
    )


async def _gateway(around: Surroundings, process: Process, link: Link, started: Callable[[], None]) -> None:
    gateway = Gateway(
        log=link.log,
        rows=link.rows,
        append=link.append,
        vault=link.vault,
        objects=link.objects,
        personal=Personal(link.bucket(Bucket.PEOPLE), link.bucket(Bucket.NOTES)),
        logs=link.logs,
        terminals=link.terminals,
        frames=link.frames,
        clock=around.clock,
        fresh_id=around.fresh,
    )
    keeper = DeadlineKeeper(gateway)
    async with link.reacting([keeper.reactor]), asyncio.TaskGroup() as tasks:
        process.gateway = gateway
        tasks.create_task(keeper.run())
        started()
        await asyncio.Event().wait()


def _link(around: Surroundings, process: Process) -> Link:
    log = around.wiring.log(LogOf(around.log, process))
    buckets = {name: BucketOf(bucket, process) for name, bucket in around.buckets.items()}
    consumer = around.consumers[process.service]
    return Link(
        service=process.service,
        log=log,
        rows=around.rows[process.service],
        append=Appender(log, process.service, around.clock),
        objects=MemoryObjects(),
        logs=around.lines,
        terminals=MemoryLogStore(),
        frames=MemoryFrames(),
        audit=MemoryAudit(),
        database=cast("Database", None),
        buckets=dict(buckets),
        open_vault=lambda: SimulatedVault(buckets[Bucket.SECRETS], around.keys, around.fresh),
        deliver=lambda attending: consumer.delivering(process, _rewired(around, attending)),
        unsettled=UnsettledOf(consumer.unsettled, process),
        operate=_nothing_to_operate,
        passed=_nothing_to_wait_for,
    )
