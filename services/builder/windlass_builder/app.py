"""The builder, wired."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial

from windlass_builder.adapters.machine import measured
from windlass_builder.adapters.uploads import StoredUploads
from windlass_builder.application.access import OpeningAccess
from windlass_builder.application.asked import Asked
from windlass_builder.application.building import Building
from windlass_builder.application.collecting import Collecting
from windlass_builder.application.collecting_sources import CollectingSources
from windlass_builder.application.containers import Containers
from windlass_builder.application.deploying import Deploying
from windlass_builder.application.ending import Ending
from windlass_builder.application.exits import Exits
from windlass_builder.application.fetching import Fetching
from windlass_builder.application.inspecting import Inspecting
from windlass_builder.application.looking import Looking
from windlass_builder.application.measuring import Measuring
from windlass_builder.application.node import Node
from windlass_builder.application.one_off import OneOff
from windlass_builder.application.pre_deploy import PreDeploy
from windlass_builder.application.projections import (
    CREDENTIALS,
    DEPLOYMENTS,
    INSPECTIONS,
    RELEASES,
    ROUTES,
    RUNS,
    TURNS,
)
from windlass_builder.application.queue import BuildQueue
from windlass_builder.application.rebuilding import Rebuilding
from windlass_builder.application.reconciling import Reconciling
from windlass_builder.application.relieving import Relieving
from windlass_builder.application.removing_volumes import RemovingVolumes
from windlass_builder.application.retiring import Retiring
from windlass_builder.application.returning import WANT_BACK, Returning
from windlass_builder.application.runtime import Runtime
from windlass_builder.application.scaling import CHANGING, Scaling
from windlass_builder.application.scratch import Scratch
from windlass_builder.application.skipping import Skipping
from windlass_builder.application.superseding import Superseding
from windlass_builder.application.sweeping import Sweeping
from windlass_builder.application.telling import Telling
from windlass_builder.application.upkeep import Upkeep
from windlass_builder.application.verifying import VerifyingNode
from windlass_builder.domain.detection import DOCKERFILE
from windlass_builder.from_settings import Sources, disks_of, node_of, runtime_of, sources_of
from windlass_builder.settings import BuilderSettings
from windlass_contracts.event import Event
from windlass_contracts.events import (
    AliasesChanged,
    BuildSucceeded,
    ContainerStarted,
    ContainerStopped,
    DeploymentCanceled,
    DeploymentLive,
    DeploymentRequested,
    DeploymentSuperseded,
    Failed,
    InspectionRequested,
    RoutesApplied,
    RoutesFailed,
    RunEnded,
    RunRequested,
    WeightChanged,
)
from windlass_contracts.subjects import Service
from windlass_eventlog.background import background
from windlass_eventlog.buckets import Bucket
from windlass_eventlog.link import Link, Own
from windlass_eventlog.operations import Kind
from windlass_eventlog.reactor import Reactor
from windlass_eventlog.service import connected

PROJECTIONS = (DEPLOYMENTS, ROUTES, INSPECTIONS, CREDENTIALS, TURNS, RUNS, RELEASES)


_LONGEST_DEPLOY = timedelta(days=1)
"""Much longer than its deadlines: it waits for its turn among the builds as well."""


async def serve(started: Callable[[], None]) -> None:
    """Run the builder until canceled."""
    settings = BuilderSettings()
    async with (
        runtime_of(settings) as runtime,
        connected(Service.BUILDER, settings, projections=PROJECTIONS) as link,
    ):
        node = node_of(settings)
        verifying = VerifyingNode(Containers(link.rows, runtime, link.vault, node, link.log.head))
        sources = sources_of(settings)
        collecting, collecting_sources = _collectors(link, verifying.containers, sources)
        removing = RemovingVolumes(collecting)
        own: dict[Kind, Own] = {**Asked(collecting, collecting_sources).operations, **removing.operations}
        async with background(_operating(link, node, verifying, own)):
            await link.caught_up(started)
            scratch = Scratch(link.append, verifying.containers, lambda: measured(disks_of(settings)).disk_free)
            measuring = Measuring(verifying.containers)
            telling = _telling(link, settings, node, measuring)
            async with background(telling.run()), background(scratch.run()), background(measuring.run()):
                await work(link, runtime, sources, node, started)


async def _operating(link: Link, node: Node, verifying: VerifyingNode, own: Mapping[Kind, Own]) -> None:
    """Do what operators ask the builder for, if no other builder of this node does."""
    async with node.locks.alone("operating"), link.operating(verifying.checks(), own):
        await asyncio.Event().wait()


def _telling(link: Link, settings: BuilderSettings, node: Node, volumes: Measuring) -> Telling:
    measure, bucket = partial(measured, disks_of(settings)), link.bucket(Bucket.NODES)
    return Telling(link.rows, bucket, node, measure, link.append.clock, settings.builder, volumes)


_RETIRING: frozenset[type[Event]] = frozenset({RoutesApplied, RoutesFailed, DeploymentLive, ContainerStarted})


async def work(link: Link, runtime: Runtime, sources: Sources, node: Node, started: Callable[[], None]) -> None:
    """Do all that the builder does, over whatever log, runtime and sources, until canceled."""
    async with asyncio.TaskGroup() as tasks:
        containers = Containers(link.rows, runtime, link.vault, node, link.log.head)
        queue = BuildQueue(link.log, link.rows, node.locks, sources.builds_at_once, node.shortage, link.append.clock)
        building = _building(sources, link, containers)
        reconciling = Reconciling(link.append, containers, Rebuilding(building, tasks))
        since = link.append.clock()  # what happens while it is compared is told afterwards
        await reconciling.run()
        tasks.create_task(Exits(link.append, containers, reconciling, tasks).follow(since))
        tasks.create_task(reconciling.now_and_then())
        retiring = Retiring(link.append, containers, link.append.clock, tasks)
        await retiring.resume()
        scaling = Scaling(reconciling, tasks)
        await scaling.resume()
        collectors = _collectors(link, containers, sources)
        upkeep, relieving = Upkeep(*collectors), Relieving(*collectors)
        await upkeep.finish()
        tasks.create_task(upkeep.run())
        tasks.create_task(relieving.run())
        reactors = [
            *_reactors(sources, link, building, queue, tasks),
            Reactor("retire", _RETIRING, retiring.handle),
            Reactor("collect", frozenset({DeploymentLive, RoutesApplied, ContainerStopped}), upkeep.handle),
            Reactor("relieve", frozenset({BuildSucceeded, Failed}), relieving.handle),
            Reactor("scale", CHANGING, scaling.handle),
            Reactor("restore", frozenset({AliasesChanged, WeightChanged}), reconciling.handle),
        ]
        async with link.reacting(reactors) as attending:
            tasks.create_task(queue.run(attending.to))
            started()
            await asyncio.Event().wait()


def _collectors(link: Link, containers: Containers, sources: Sources) -> tuple[Collecting, CollectingSources]:
    looking = Looking(containers)
    stores = (*sources.stores, StoredUploads(link.objects))
    return Collecting(link.append, looking), CollectingSources(link.append, looking, stores, link.append.clock)


async def purge(_started: Callable[[], None]) -> None:
    """Remove all that the installation runs and keeps for its apps; for when it is not running itself."""
    async with runtime_of(BuilderSettings()) as runtime:
        await runtime.purge()


def _building(sources: Sources, link: Link, containers: Containers) -> Building:
    opening, skipping = OpeningAccess(link.rows, link.vault), Skipping(link.rows, sources.fetcher)
    fetching = Fetching(sources.fetcher, StoredUploads(link.objects), opening, skipping, containers.node.name)
    return Building(containers, fetching, sources.list_root, link.logs, link.append.clock)


def _reactors(
    sources: Sources, link: Link, building: Building, queue: BuildQueue, tasks: asyncio.TaskGroup
) -> list[Reactor]:
    containers = building.containers
    looks = asyncio.Semaphore(sources.inspections_at_once)
    scratch, clock = containers.node.scratch, link.append.clock
    pre_deploy = PreDeploy(containers, link.logs, clock)
    deploying = Deploying(link.append, containers, building, pre_deploy, queue)
    superseding = Superseding(link.append, link.rows)
    images = DOCKERFILE in containers.node.runners
    inspecting = Inspecting(link.append, link.rows, sources.fetcher, sources.list_root, scratch, looks, clock, images)
    one_off = OneOff(link.append, containers, link.terminals, link.frames, clock)
    ending = Ending(link.append, containers)
    returning = Returning(link.append, containers)
    sweeping = Sweeping(containers, tasks)
    without_winning: frozenset[type[Event]] = frozenset({DeploymentCanceled, DeploymentSuperseded, Failed})
    return [
        Reactor("inspect", frozenset({InspectionRequested}), inspecting.handle),
        Reactor("supersede", frozenset({DeploymentRequested}), superseding.handle),
        Reactor("deploy", frozenset({DeploymentRequested}), deploying.handle, _LONGEST_DEPLOY),
        Reactor("stop", without_winning, ending.stop),
        Reactor("keep-running", frozenset({DeploymentLive}), ending.keep_running),
        Reactor("return", WANT_BACK, returning.handle),
        Reactor("run", frozenset({RunRequested, RunEnded}), one_off.handle, _LONGEST_DEPLOY),
        Reactor("sweep", frozenset({ContainerStopped}), sweeping.handle),
    ]
