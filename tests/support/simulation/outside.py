"""What else is around the services: repositories, probes, the output of apps, and the proxy."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from support.memory_proxy import MemoryProxy
from support.simulation.history import App
from support.simulation.loop import VirtualLoop
from support.simulation.node import Node, app_of
from support.simulation.process import Process
from windlass_builder.application.access import NO_ACCESS, Access
from windlass_builder.application.source import (
    RefNotFoundError,
    RepositoryHeads,
    RepositoryUnreachableError,
    SourceLocation,
)
from windlass_builder.domain.detection import Listing
from windlass_builder.domain.workloads import Paused, Running
from windlass_contracts.config import Probe
from windlass_contracts.ids import DeploymentId
from windlass_logs.application.log_source import LogSource, Position, SourceLine, Stream
from windlass_monitor.application.prober import Prober, Target
from windlass_monitor.application.traffic import Traffic
from windlass_monitor.domain.answers import Answers
from windlass_monitor.domain.outcomes import Answered, NoAnswer, NotListening, Outcome, Unreachable
from windlass_router.application.proxy import NotConfirmedError, NotWrittenError, Proxy, Rendered

_LATE_S = 4.0
_A_SECOND = 10
_TAKEN_UP_AFTER_S = 0.005


@dataclass(slots=True)
class Repositories:
    """Every commit is there, unless it is a lost one; branches stand where they were pushed to last."""

    heads_by_branch: dict[str, str] = field(default_factory=dict)

    async def heads(self, url: str) -> RepositoryHeads:  # noqa: ARG002 - the port's signature
        return RepositoryHeads(self.heads_by_branch, {}, "main")

    async def resolve(self, url: str, ref: str, access: Access = NO_ACCESS) -> str:  # noqa: ARG002 - the port's signature
        commit = self.heads_by_branch.get(ref)
        if commit is None:
            raise RefNotFoundError(url, ref)
        return commit

    async def changed(self, url: str, before: str, after: str, access: Access = NO_ACCESS) -> frozenset[str] | None:  # noqa: ARG002 - the port's signature
        return None

    async def fetch(
        self,
        location: SourceLocation,
        commit: str,
        archive: Path,  # noqa: ARG002
        access: Access = NO_ACCESS,  # noqa: ARG002
    ) -> None:
        if app_of(commit) is App.LOST:
            raise RepositoryUnreachableError(location.url)


async def listing(_archive: Path) -> Listing:
    return Listing(frozenset({"server.py"}), {})


@dataclass(slots=True)
class Probes(Prober):
    """Answers as the app at the address would now."""

    node: Node
    loop: VirtualLoop

    async def probe(self, target: Target, probe: Probe) -> Outcome:
        runner = next((one for one in self.node.living.values() if one.address.host == target.address), None)
        if runner is None:
            return Unreachable()
        if isinstance(runner.state, Paused):
            await asyncio.sleep(probe.timeout_ms / 1_000)
            return NoAnswer()
        app = app_of(self.node.commits[runner.release])
        if not isinstance(runner.state, Running) or app is App.DYING:
            return NotListening()
        if app is App.LATE and self.loop.time() < self.node.born[runner.name] + _LATE_S:
            return Answered(503, 1)
        return Answered(500 if app is App.SICK or runner.name in self.node.sick else 200, 1)


@dataclass(slots=True)
class Visitors(Traffic):
    """Ask whatever runs a few times a second, and count the answers."""

    node: Node
    loop: VirtualLoop
    counted: dict[DeploymentId, Answers] = field(default_factory=dict)
    until: float = 0.0

    async def answers(self) -> Mapping[DeploymentId, Answers]:
        came, self.until = round(_A_SECOND * (self.loop.time() - self.until)), self.loop.time()
        for runner in self.node.living.values():
            if isinstance(runner.state, Running):
                before = self.counted.get(DeploymentId(runner.deployment), Answers())
                errors = before.errors + (came if runner.name in self.node.erring else 0)
                self.counted[DeploymentId(runner.deployment)] = Answers(before.total + came, errors)
        return dict(self.counted)


@dataclass(slots=True)
class Output(LogSource):
    """Every app writes its environment down, as careless apps do, until it is gone."""

    node: Node

    async def follow(self, runner: str, after: Position | None = None) -> AsyncGenerator[SourceLine, None]:
        told = self.node.secrets_of.get(runner, {})
        for number, (name, value) in enumerate(sorted(told.items())):
            position = Position(1_700_000_000_000_000_000 + number, 0)
            if after is None or position > after:
                yield SourceLine(position, Stream.OUT, f"{name}={value}".encode())
        gone = self.node.gone.get(runner)
        if gone is not None:
            await gone.wait()


@dataclass
class SimulatedProxy(MemoryProxy):
    """Takes up a file that was handed over a little later, whoever waits for it; `served` is told each time."""

    loop: VirtualLoop = field(kw_only=True)
    served: Callable[[], None] = lambda: None
    away_until: float = 0.0
    mark: str = ""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def hand_over(self, rendered: Rendered) -> None:
        self._given = rendered.content
        self.loop.call_later(max(_TAKEN_UP_AFTER_S, self.away_until - self.loop.time()), self.take_up, rendered)

    def take_up(self, rendered: Rendered) -> None:
        if self._given != rendered.content:
            return
        if self.loop.time() < self.away_until:
            self.loop.call_later(self.away_until - self.loop.time(), self.take_up, rendered)
            return
        self._take(rendered.content)
        self.mark = rendered.mark
        self.served()
        self.changed.set()
        self.changed = asyncio.Event()


@dataclass(slots=True)
class ProxyOf(Proxy):
    """The proxy, as one life of the router reaches it: writing the file is an effect, waiting for it is none."""

    proxy: SimulatedProxy
    process: Process

    @property
    def names(self) -> tuple[str, ...]:
        return self.proxy.names

    async def handed_over(self) -> bytes | None:
        return await self.proxy.handed_over()

    async def apply(self, rendered: Rendered, within: timedelta) -> Mapping[str, str]:
        if self.proxy._given != rendered.content:
            await self.process.effect(
                f"write the routes of generation {rendered.mark.split('-')[0]}",
                lambda: self._written(rendered),
                lambda: NotWrittenError("The folder of the routes is full."),
            )
        return await self.serving(rendered.mark, within)

    async def serving(self, mark: str, within: timedelta) -> Mapping[str, str]:
        try:
            async with asyncio.timeout(within.total_seconds()):
                while self.proxy.mark != mark:
                    await self.proxy.changed.wait()
        except TimeoutError:
            raise NotConfirmedError("memory", within) from None
        return self.proxy.disabled()

    async def _written(self, rendered: Rendered) -> None:
        self.proxy.hand_over(rendered)
