"""The watch over one container: probed until it is healthy, and then for as long as it runs."""

import asyncio
from dataclasses import dataclass
from functools import partial
from math import ceil

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_eventlog.clock import Clock
from windlass_monitor.application.prober import Prober, Target
from windlass_monitor.application.samples import Sampler
from windlass_monitor.application.voice import Voice
from windlass_monitor.domain import verdicts
from windlass_monitor.domain.deployment import Container, Deployment, Health
from windlass_monitor.domain.outcomes import EngineAway, NoAnswer, NotRun, Outcome, Success, Unsupported, is_good
from windlass_monitor.domain.schedule import (
    LEAST_TIME_S,
    SHORTEST_PROBE_S,
    Approach,
    Vigil,
    share_of_a_round_s,
)


@dataclass(frozen=True, slots=True)
class Watch:
    """Probes a container and says what becomes of it. `cause` is the event that started or resumed it."""

    prober: Prober
    voice: Voice
    clock: Clock
    cause: Recorded[Event]
    deployment: Deployment
    container: Container
    sampler: Sampler
    least_s: float = LEAST_TIME_S

    async def keep(self) -> None:
        """Probe until cancelled, or until it is clear that no probe can be done at all."""
        if self.container.health is not Health.UNPROVEN:
            await asyncio.sleep(share_of_a_round_s(self.container.name, self.deployment.liveness))
            return await self._stay(self._vigil(healthy=self.container.health is Health.HEALTHY))
        approach = await self._approach()
        self.sampler.off = False
        if approach.success is None:
            await self._say_expired(approach.telling)
        else:
            await self._say_passed(approach.success, approach.tries)
        if not approach.hopeless:
            await self._stay(self._vigil(healthy=approach.success is not None))
        return None

    def _vigil(self, *, healthy: bool) -> Vigil:
        return Vigil(healthy, liveness=self.deployment.liveness)

    async def _approach(self) -> Approach:
        """Return what was found when it became healthy, or when its time was over."""
        approach = Approach(self.deployment.probe)
        loop = asyncio.get_running_loop()
        end = loop.time() + self._time_left_s()
        while (left := end - loop.time()) > SHORTEST_PROBE_S:
            outcome = await self._probe(within=left)
            if isinstance(outcome, NoAnswer) and loop.time() >= end and approach.last_answer is not None:
                break  # cut short by the deadline, it says less than the answer before it
            approach = approach.after(outcome)
            if approach.success is not None or approach.hopeless:
                break
            await asyncio.sleep(min(approach.pause_s, left))
        return approach

    async def _stay(self, vigil: Vigil) -> None:
        while True:
            await asyncio.sleep(vigil.pause_s)
            outcome = await self._probe()
            if isinstance(outcome, NotRun | EngineAway):
                continue  # it says nothing of the app: the builder tells of what does not run, and engines come back
            before, vigil = vigil, vigil.after(good=is_good(outcome, self.deployment.probe))
            if before.healthy and not vigil.healthy:
                await self._say_lost(outcome, vigil.liveness.failures)
            elif vigil.healthy and not before.healthy and isinstance(outcome, Success):
                await self._say_passed(outcome, vigil.liveness.successes)

    async def _probe(self, within: float | None = None) -> Outcome:
        """Return what comes of a probe that takes no longer than its own timeout, nor than `within` seconds."""
        probe = self.deployment.probe
        if within is not None and within * 1_000 < probe.timeout_ms:
            probe = probe.model_copy(update={"timeout_ms": ceil(within * 1_000)})
        target = Target(self.container.address, self.container.port, self.container.name)
        outcome = await self.prober.probe(target, probe)
        if not isinstance(outcome, EngineAway | Unsupported):  # which say nothing of the app
            self.sampler.take(asyncio.get_running_loop().time(), outcome if is_good(outcome, probe) else None)
        return outcome

    async def _say_passed(self, success: Success, tries: int) -> None:
        await self.voice.say(
            self.cause, partial(verdicts.passed, container=self.container, success=success, tries=tries)
        )

    async def _say_lost(self, outcome: Outcome, failures: int) -> None:
        await self.voice.say(
            self.cause, partial(verdicts.lost, container=self.container, outcome=outcome, failures=failures)
        )

    async def _say_expired(self, outcome: Outcome) -> None:
        await self.voice.say(self.cause, partial(verdicts.expired, container=self.container, outcome=outcome))

    def _time_left_s(self) -> float:
        """Seconds until the deadline; where the monitor was away over it, enough for a few probes."""
        passed = (self.clock() - self.container.running_since).total_seconds()
        return max(self.deployment.health_s - passed, self.least_s)
