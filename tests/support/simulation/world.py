"""A whole installation in one thread: the scheduler goes from choice to choice until everything is at rest."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import seed
from typing import assert_never
from uuid import UUID

from support.simulation import services
from support.simulation.choices import Choices
from support.simulation.consumer import Consumer, Pending
from support.simulation.history import Act, Blackout, History, Hold, Incident, Kill, Outage
from support.simulation.invariants import Invariants, Violation
from support.simulation.log import SimulatedLog, SimulatedRows
from support.simulation.loop import VirtualLoop
from support.simulation.names import INSTALLATION
from support.simulation.node import Node
from support.simulation.outside import Repositories, SimulatedProxy, Visitors
from support.simulation.people import Answer, Asked, People
from support.simulation.process import Gate, Process, Way, note_task
from support.simulation.story import Story
from windlass_builder.application.intents import Intents, OwnIntents
from windlass_builder.application.runtime_errors import EngineError
from windlass_builder.domain.room import DiskLevel
from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.ids import derived, team_id
from windlass_contracts.subjects import Service
from windlass_eventlog.buckets import Bucket
from windlass_eventlog.errors import AWAY
from windlass_eventlog.keys import KeyRing, Keys
from windlass_eventlog.logs.memory import MemoryLogStore
from windlass_eventlog.memory import MemoryKeyValue
from windlass_eventlog.memory.keys import MemoryKeys

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY = KeyRing(["c2ltdWxhdGVkLXNpbXVsYXRlZC1zaW11bGF0ZWQtMTI="])
_TROUBLE_LASTS_S = 60.0
"""After the last act; then nothing goes wrong any more."""
_REST_S = 85.0
"""Longer than the longest timer of something that is left to do: drained, warm, stopped, swept away."""
_LONGEST_S = 900.0
"""Longer than all deadlines of a deployment, one after the other."""
_PATIENCE_S = 30.0
_RESTARTED_AFTER_S = 1.0
_MOST_STEPS = 30_000
_DAWDLING_S = 8.0
_AWAY_S = (0.0, 1.0, 6.0, 50.0)
_HELD_S = (0.1, 1.0, 35.0)

Work = Gate | tuple[Consumer, Pending]


@dataclass
class World:
    """What `history` makes of five services; `wiring` is how one of them is made."""

    history: History
    scratch: Path
    wiring: services.Wiring = field(default_factory=services.Wiring)

    def __post_init__(self) -> None:
        seed(0)
        self.loop = VirtualLoop()  # type: ignore[abstract] # nobody reads a socket here
        self.loop.created = note_task
        self.choices = Choices(bytes.fromhex(self.history.schedule), self.history.faults)
        self.story = Story()
        self.log = SimulatedLog(installation=INSTALLATION, appended=self._appended)
        self.node = Node(loop=self.loop, clock=self.clock, touched=self._touched, told=partial(self._tell, "node"))
        self.visitors = Visitors(self.node, self.loop)
        self.proxy = SimulatedProxy(loop=self.loop, served=self._served)
        self.repositories = Repositories()
        self.people = People(team_id(INSTALLATION), self.repositories.heads_by_branch)
        self.lines = MemoryLogStore()
        self.rows = {one: SimulatedRows(self.log, services.projections_of(one)) for one in Service}
        self.consumers = {one: Consumer(one, self.log, self.loop, self.wiring.acknowledges_first) for one in Service}
        self.buckets = {one: MemoryKeyValue(self.clock) for one in Bucket}
        self.keys: Keys = MemoryKeys(KEY)
        self.intents: Intents = OwnIntents()
        # Every other history is that of a node which gives up all that it may, whenever it may.
        self.disk_level = DiskLevel.SCARCE if len(self.history.acts) % 2 else DiskLevel.AMPLE
        self.gates: list[Gate] = []
        self.processes: dict[Service, Process] = {}
        self.invariants = Invariants(self)
        self.calm_since: float | None = None
        self.last_event = 0.0
        self._due: list[Act] = []
        self._coming = list(self.history.acts)
        self._awaited: Act | None = None
        self._left = len(self.history.acts)
        self._fresh = 0
        self._over = False
        self.held_until: dict[Service, float] = {}

    def clock(self) -> datetime:
        return NOON + timedelta(seconds=self.loop.time())

    def fresh(self) -> UUID:
        self._fresh += 1
        return derived("fresh", str(self._fresh))

    def run(self) -> Violation | None:
        """Let it all happen; return what was found wrong, if anything."""
        try:
            return self._run()
        finally:
            self._over = True
            for process in self.processes.values():
                process.kill()

    def _run(self) -> Violation | None:
        for service in Service:
            self._start(service)
        self._await_next()
        for _ in range(_MOST_STEPS):
            self._step()
            if self.invariants.violation is not None:
                return self.invariants.violation
            if self._at_rest():
                return self.invariants.at_rest()
        return Violation("0 everything comes to rest", f"{_MOST_STEPS} steps were not enough")

    def _await_next(self) -> None:
        """See to it that the next act comes in its time."""
        if not self._coming:
            return
        act = self._coming.pop(0)
        if act.upon is None:
            self._come_after(act.after, act)
        else:
            self._awaited = act
            self.loop.call_later(_PATIENCE_S, self._come, act)

    def _come(self, act: Act) -> None:
        """Let an act come that waits for an event, unless it came already."""
        if self._awaited is act:
            self._awaited = None
            self._come_after(act.after, act)

    def _come_after(self, seconds: float, act: Act) -> None:
        if seconds:
            self.loop.call_later(seconds, self._due.append, act)
        else:
            self._due.append(act)

    def _at_rest(self) -> bool:
        now = self.loop.time()
        if self.calm_since is None:
            if not self._left and now > self.last_event + _TROUBLE_LASTS_S:
                self._calm()
            return False
        if now > self.calm_since + _LONGEST_S:
            return True
        return now > self.last_event + _REST_S and now > self.calm_since + _REST_S and not self.invariants.unfinished

    def _calm(self) -> None:
        self._tell("fate", "nothing goes wrong any more")
        self.choices.faults = 0
        self.calm_since = self.loop.time()
        for rows in self.rows.values():
            rows.stay_at(None)
        self.proxy.away_until = 0.0

    def _step(self) -> None:
        self.loop.settle()
        self._bury()
        self.invariants.unforeseen()
        while self._due:
            act = self._due.pop(0)
            if self._can(act):
                self._act(act)
                self.loop.settle()
                self._await_next()
            else:
                self.loop.call_later(_RESTARTED_AFTER_S, self._due.append, act)
        work: list[Work] = [*self.gates]
        for consumer in self.consumers.values():
            if consumer.pending:
                work += [(consumer, pending) for pending in consumer.due()]
        if not work:
            self.loop.pass_time()
            return
        chosen = self.choices.fault_or(work)
        if chosen is None:
            self._go_wrong(work)
        else:
            self._do(chosen, Way.DONE)

    def _do(self, work: Work, way: Way) -> None:
        if isinstance(work, Gate):
            self.gates.remove(work)
            self._tell(work.process.service, work.what + way.value)
            work.opened.set_result(way)
        else:
            consumer, pending = work
            self._tell(consumer.service, f"is woken up by #{pending.sequence}")
            process = consumer.process
            if process is not None:
                process.spawn(partial(consumer.deliver, pending), "delivery")

    def _go_wrong(self, work: list[Work]) -> None:
        gates = [one for one in work if isinstance(one, Gate)]
        failing = [one for one in gates if one.failure is not None]
        match self.choices.byte() % 8:
            case 0 | 1:
                self._kill(self.choices.one_of(list(Service)), self.choices.one_of(_AWAY_S))
            case 2 | 3 if gates:
                self._do(self.choices.one_of(gates), Way.LAST)
            case 4 if failing:
                self._do(self.choices.one_of(failing), self.choices.one_of((Way.UNDONE, Way.UNANSWERED)))
            case 5:
                self._hold(self.choices.one_of(list(Service)), self.choices.one_of(_HELD_S))
            case 6 if self.log.length:
                consumer = self.consumers[self.choices.one_of(list(Service))]
                consumer.again(1 + self.choices.byte() % self.log.length)
            case _:
                self._dawdle()

    def _can(self, act: Act) -> bool:
        """Tell whether somebody is there who could be asked."""
        gateway = self.processes[Service.GATEWAY]
        is_fate = isinstance(act, Kill | Blackout | Hold | Outage | Incident)
        return is_fate or (gateway.gateway is not None and not gateway.dead and not gateway.dying)

    def _dawdle(self) -> None:
        """Let time pass although there is work."""
        self.loop.pass_time(_DAWDLING_S)
        now = self.loop.time()
        self.held_until = {one: max(now, self.held_until.get(one, now)) for one in Service}

    def _act(self, act: Act) -> None:
        if isinstance(act, Kill):
            self._kill(act.service, act.away)
        elif isinstance(act, Blackout):
            self._black_out(act)
        elif isinstance(act, Hold):
            self._hold(act.service, act.seconds)
        elif isinstance(act, Outage):
            self._tell("fate", f"the proxy takes up nothing for {act.seconds:g} s")
            self.proxy.away_until = self.loop.time() + act.seconds
        elif isinstance(act, Incident):
            self._incident(act)
        else:
            gateway = self.processes[Service.GATEWAY]
            asked = self.people.asks(act)
            self._tell("people", f"{asked.actor} wants: {act!r}")
            gateway.spawn(partial(self._ask, gateway, asked), "request")
        self._left -= 1

    async def _ask(self, process: Process, asked: Asked) -> None:
        assert process.gateway is not None
        before = self.log.length
        await self.people.ask(process.gateway, asked)
        promised = ", ".join(one.hex[:8] for one in asked.gave)
        self._tell("gateway", f"answers {asked.actor}: {asked.answer.name} {promised} {asked.why}")
        if asked.answer is Answer.REFUSED:
            self.invariants.refused(asked, before)

    def _incident(self, act: Incident) -> None:
        there = [name for name in self.node.started if name in self.node.living]
        if not there:
            return
        name = there[max(0, len(there) - 1 - act.which)]
        self._tell("fate", f"{act.what}: {name}")
        match act.what:
            case "ends":
                self.node.ends(name)
            case "removed":
                self.node.removed_by_hand(name)
            case "sick":
                self.node.sick.add(name)
            case "well":
                self.node.sick.discard(name)
                self.node.erring.discard(name)
            case "errs":
                self.node.erring.add(name)
            case _:
                assert_never(act.what)

    def _black_out(self, act: Blackout) -> None:
        self.node.falls()
        for service in Service if act.machine else ():
            self._kill(service, act.away)

    def _hold(self, service: Service, seconds: float) -> None:
        self._tell("fate", f"the rows of the {service} stand still for {seconds:g} s")
        rows = self.rows[service]
        rows.stay_at(rows.position)
        self.held_until[service] = self.loop.time() + seconds
        self.loop.call_later(seconds, rows.stay_at, None)

    def _start(self, service: Service) -> None:
        if self._over:
            return
        process = Process(service, self.loop, self.gates, since=self.loop.time())
        self.processes[service] = process
        self._tell(service, "starts")
        process.main = process.spawn(partial(services.serve, self, process), f"{service}")

    def _kill(self, service: Service, away: float) -> None:
        process = self.processes[service]
        if process.dead:
            return
        self._tell("fate", f"the {service} is killed, and away for {away:g} s")
        self._end(process, away)

    def _bury(self) -> None:
        for process in list(self.processes.values()):
            if process.dead:
                continue
            if process.dying:
                self._end(process, self.choices.one_of(_AWAY_S))
            elif process.main is not None and process.main.done():
                self._fallen(process, process.main)

    def _fallen(self, process: Process, main: "asyncio.Task[None]") -> None:
        error = None if main.cancelled() else main.exception()
        self._tell(process.service, f"falls over: {error!r}")
        if process.ready or not _is_foreseen(error):
            self.invariants.violate("0 no service falls over", f"{process.service}: {error!r}")
        self._end(process, _RESTARTED_AFTER_S)

    def _end(self, process: Process, away: float) -> None:
        process.kill()
        self.consumers[process.service].lost()
        self.loop.call_later(away, self._start, process.service)

    def _appended(self, recorded: Recorded[Event]) -> None:
        self.last_event = self.loop.time()
        if self._awaited is not None and self._awaited.upon == recorded.event.TYPE:
            self._come(self._awaited)
        self.story.tell_event(self.loop.time(), recorded)
        for consumer in self.consumers.values():
            consumer.look()
        self.invariants.appended(recorded)

    def _touched(self, what: str, name: str) -> None:
        self.invariants.touched(what, name)

    def was_at_work(self, service: Service, seconds: float) -> bool:
        """Tell whether a service had all that it needs for so long."""
        process, now = self.processes[service], self.loop.time()
        return (
            process.ready and not process.dead and max(process.since, self.held_until.get(service, 0)) + seconds < now
        )

    def _served(self) -> None:
        self._tell("proxy", f"serves {self.proxy.mark.split('-')[0]}")
        self.invariants.served()

    def _tell(self, who: str, what: str) -> None:
        self.story.tell(self.loop.time(), who, what)


def _is_foreseen(error: BaseException | None) -> bool:
    """Tell whether a service that starts may give that up, for its supervisor to start it again."""
    if isinstance(error, BaseExceptionGroup):
        return all(_is_foreseen(one) for one in error.exceptions)
    return isinstance(error, (EngineError, *AWAY))
