"""Which containers are watched: those that the rows say are to be, whatever was delivered, and in whatever order."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from uuid import UUID

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import (
    ContainerLooping,
    ContainerPaused,
    ContainerResumed,
    ContainerStarted,
    ContainerStopped,
    DeploymentCanceled,
    DeploymentSuperseded,
    Failed,
)
from windlass_eventlog.clock import Clock
from windlass_eventlog.log import EventLog
from windlass_eventlog.projection import Rows, Versioned
from windlass_eventlog.reactor import Reactor, WakeUp
from windlass_monitor.application.prober import Prober
from windlass_monitor.application.projections import DEPLOYMENTS
from windlass_monitor.application.samples import Sampler, Samples
from windlass_monitor.application.voice import Voice
from windlass_monitor.application.watch import Watch
from windlass_monitor.domain import schedule
from windlass_monitor.domain.deployment import Container, Deployment, Health

_CHANGES_WHAT_RUNS: frozenset[type[Event]] = frozenset(
    {
        ContainerStarted,
        ContainerResumed,
        ContainerPaused,
        ContainerStopped,
        ContainerLooping,
        Failed,
        DeploymentCanceled,
        DeploymentSuperseded,
    }
)


@dataclass(slots=True)
class Watches:
    """One task for each container that runs, by the sequence of the event that started or resumed it."""

    log: EventLog
    rows: Rows
    voice: Voice
    prober: Prober
    samples: Samples
    clock: Clock
    tasks: asyncio.TaskGroup
    _kept: dict[UUID, dict[int, asyncio.Task[None]]] = field(default_factory=dict)

    @property
    def reactor(self) -> Reactor:
        return Reactor("watch containers", _CHANGES_WHAT_RUNS, self.follow)

    async def restore(self) -> None:
        """Watch again what was watched before this process began."""
        for known in await self.rows.find(DEPLOYMENTS, {"watched": True}):
            await self._agree(known)

    async def follow(self, wake: WakeUp) -> None:
        """Begin and end watches, so that they agree with the rows."""
        known = await self.rows.get(DEPLOYMENTS, wake.recorded.key.id)
        if known is not None:
            await self._agree(known, wake.recorded)

    async def _agree(self, known: Versioned[Deployment], news: Recorded[Event] | None = None) -> None:
        wanted = {container.since: container for container in known.row.probed}
        kept = self._kept.setdefault(known.key, {})
        for since in kept.keys() - wanted.keys():
            kept.pop(since).cancel()
        for since in wanted.keys() - kept.keys():
            cause = news if news is not None and news.sequence == since else await self._recorded(since)
            sampler = self._sampler(known, wanted[since])
            least_s = schedule.LEAST_AFTER_ABSENCE_S if news is None else schedule.LEAST_TIME_S
            watch = Watch(self.prober, self.voice, self.clock, cause, known.row, wanted[since], sampler, least_s)
            kept[since] = self.tasks.create_task(watch.keep(), name=f"watch {wanted[since].name}")
        if not kept:
            del self._kept[known.key]

    def _sampler(self, known: Versioned[Deployment], container: Container) -> Sampler:
        """Return what counts its probes: not while it starts beside others that are well, for it gets no requests."""
        beside = any(one.health is Health.HEALTHY for one in known.row.probed if one.name != container.name)
        return Sampler(self.samples, known.key, known.row.liveness.every_s * schedule.SECOND, off=beside)

    async def _recorded(self, sequence: int) -> Recorded[Event]:
        """Return the event at a sequence, from the log itself: the row has no room for who caused what."""
        async with aclosing(self.log.read(sequence - 1)) as events:
            return await anext(events)
