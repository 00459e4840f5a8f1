"""Real servers on loopback, probed by a whole monitor over the log in memory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import reduce
from typing import TypeVar

import pytest

from support.loopback_app import LoopbackApp, http
from support.told_deployment import ToldDeployment
from windlass_contracts.config import CommandProbe, Deadlines, DeploymentConfig, Probe, TcpProbe
from windlass_contracts.event import Event
from windlass_contracts.events import ContainerLooping, DeploymentCanceled, Failed, Healthy, Unhealthy
from windlass_contracts.series import Sum
from windlass_contracts.subjects import Service
from windlass_eventlog.appender import Appender
from windlass_eventlog.clock import utc_now
from windlass_eventlog.memory.log import MemoryLog
from windlass_eventlog.memory.rows import MemoryRows
from windlass_eventlog.reaction import Handled, Reaction
from windlass_eventlog.reactor import WakeUp
from windlass_monitor.adapters.prober import StreamProber
from windlass_monitor.application.answering import Answering
from windlass_monitor.application.prober import Prober, Target
from windlass_monitor.application.projections import ALL
from windlass_monitor.application.samples import Samples
from windlass_monitor.application.voice import Voice
from windlass_monitor.application.watches import Watches
from windlass_monitor.domain import schedule
from windlass_monitor.domain.outcomes import Answered, EngineAway, NotListening, NotRun, Outcome, Succeeded

E = TypeVar("E", bound=Event)
SOON = DeploymentConfig(deadlines=Deadlines(health_s=1))


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the rounds that go on for ever follow one another quickly."""
    monkeypatch.setattr(schedule, "SECOND", 0.004)
    monkeypatch.setattr(schedule, "IN_DOUBT_EVERY_S", 0.01)


class NotingProber(StreamProber):
    """Probes for real, and lets a test wait for an outcome."""

    def __init__(self, commands: Prober | None = None) -> None:
        super().__init__(commands)
        self._outcomes: list[Outcome] = []
        self._more = asyncio.Condition()

    async def probe(self, target: Target, probe: Probe) -> Outcome:
        outcome = await super().probe(target, probe)
        async with self._more:
            self._outcomes.append(outcome)
            self._more.notify_all()
        return outcome

    async def met(self, kind: type[Outcome], count: int = 1, **fields: object) -> None:
        """Wait until that many probes had such an outcome."""

        def wanted(one: Outcome) -> bool:
            return isinstance(one, kind) and fields.items() <= asdict(one).items()

        async with self._more:
            await self._more.wait_for(lambda: sum(wanted(one) for one in self._outcomes) >= count)


@dataclass
class Monitor:
    """A monitor over the log in memory."""

    rows: MemoryRows
    prober: NotingProber
    watches: Watches
    reaction: Reaction
    samples: Samples

    @property
    def watched(self) -> list[asyncio.Task[None]]:
        return [task for kept in self.watches._kept.values() for task in kept.values()]


@asynccontextmanager
async def monitor(log: MemoryLog, commands: Prober | None = None) -> AsyncIterator[Monitor]:
    """Run a monitor, as its `app` wires it, from the head of the log on."""
    rows, prober = MemoryRows(log, ALL), NotingProber(commands)
    with suppress(asyncio.CancelledError):
        async with asyncio.TaskGroup() as tasks:
            voice = Voice(rows, Appender(log, Service.MONITOR, utc_now))
            answering = Answering(rows)
            samples = Samples(answering, utc_now)
            watches = Watches(log, rows, voice, prober, samples, utc_now, tasks)
            await answering.restore()
            await watches.restore()
            reaction = Reaction(log, rows, [watches.reactor, answering.reactor])
            tasks.create_task(react(log, reaction, await log.head()))
            yield Monitor(rows, prober, watches, reaction, samples)
            raise asyncio.CancelledError


async def react(log: MemoryLog, reaction: Reaction, after: int) -> None:
    async with aclosing(log.read(after)) as events:
        async for recorded in events:
            if type(recorded.event) in reaction.wakes_on:
                assert await reaction.to(WakeUp(recorded, 1)) == Handled()


async def said(log: MemoryLog, kind: type[E], *, count: int = 1) -> list[E]:
    """Wait until events of a type stand in the log."""
    found: list[E] = []
    async with aclosing(log.read(0)) as events:
        async for recorded in events:
            if isinstance(recorded.event, kind):
                found.append(recorded.event)
                if len(found) == count:
                    break
    return found


def types(log: MemoryLog) -> list[type[Event]]:
    return [type(log.at(sequence).event) for sequence in range(1, log.length + 1)]


async def test_a_container_becomes_healthy_once_its_port_opens_and_answers(
    log: MemoryLog, free_port: Callable[[], int]
) -> None:
    told, app = ToldDeployment(log), LoopbackApp(http(200), free_port())
    await told.built()
    async with monitor(log) as running:
        await told.started("web-0", app.port)
        await running.prober.met(NotListening)
        assert Healthy not in types(log)
        async with app.listening():
            (healthy,) = await said(log, Healthy)

    assert (healthy.container, healthy.probe, healthy.status) == ("web-0", "http", 200)
    assert healthy.tries > 1


async def test_health_is_said_because_of_the_start_and_by_the_same_id_each_time(log: MemoryLog) -> None:
    told = ToldDeployment(log)
    await told.built()
    async with LoopbackApp(http(200)).listening() as port, monitor(log):
        sequence = await told.started("web-0", port)
        await said(log, Healthy)

    cause, healthy = log.at(sequence), log.at(log.length)
    assert healthy.metadata.causation == cause.metadata.id
    assert healthy.metadata.correlation == cause.metadata.correlation
    assert healthy.metadata.actor == "service:monitor"


@pytest.mark.parametrize(
    ("answer", "config", "code"),
    [
        (None, SOON, "no-answer"),
        (b"", SOON, "not-http"),
        (b"\x15\x03\x01", SOON, "not-http"),
        (http(200), SOON.model_copy(update={"probe": CommandProbe(command="true")}), "unsupported-probe"),
    ],
)
async def test_an_app_that_answers_badly_fails_its_deployment_with_the_cause(
    log: MemoryLog, answer: bytes | None, config: DeploymentConfig, code: str
) -> None:
    told = ToldDeployment(log, config)
    await told.built()
    async with LoopbackApp(answer).listening() as port, monitor(log):
        await told.started("web-0", port)
        (failed,) = await said(log, Failed)

    assert failed.code == code


async def test_an_app_that_answers_badly_and_then_no_more_fails_by_what_it_answered(log: MemoryLog) -> None:
    told, app = ToldDeployment(log, SOON), LoopbackApp(http(503))
    await told.built()
    async with app.listening() as port, monitor(log) as running:
        await told.started("web-0", port)
        await running.prober.met(Answered, status=503)
        app.answer = None  # the probe that meets this is cut short by the deadline
        (failed,) = await said(log, Failed)
    assert failed.code == "bad-status"


async def test_an_app_on_the_wrong_port_is_reported_as_not_listening_on_the_right_one(
    log: MemoryLog, free_port: Callable[[], int]
) -> None:
    told, expected = ToldDeployment(log, SOON), free_port()
    await told.built()
    async with LoopbackApp(http(200)).listening(), monitor(log):
        await told.started("web-0", expected)
        (failed,) = await said(log, Failed)

    assert failed.code == "not-listening"
    assert f"port {expected} " in failed.reason


async def test_a_container_that_stops_answering_is_unhealthy_until_it_answers_again(log: MemoryLog) -> None:
    told, app = ToldDeployment(log), LoopbackApp(http(200))
    await told.built()
    async with monitor(log):
        async with app.listening() as port:
            await told.started("web-0", port)
            await said(log, Healthy)
        (unhealthy,) = await said(log, Unhealthy)
        async with app.listening():
            await said(log, Healthy, count=2)

    assert (unhealthy.code, unhealthy.failures) == ("not-listening", 3)


async def test_every_container_of_a_deployment_is_judged_by_itself(log: MemoryLog) -> None:
    told = ToldDeployment(log, DeploymentConfig(replicas=2, probe=TcpProbe()))
    await told.built()
    async with LoopbackApp(None).listening() as one, LoopbackApp(None).listening() as two, monitor(log):
        await told.started("web-0", one, 0)
        await told.started("web-1", two, 1)
        healthy = await said(log, Healthy, count=2)

    assert sorted(event.container for event in healthy) == ["web-0", "web-1"]


async def test_a_resumed_container_is_probed_anew_and_never_fails_its_deployment(log: MemoryLog) -> None:
    told, app = ToldDeployment(log, SOON), LoopbackApp(http(200))
    await told.built()
    async with monitor(log), app.listening() as port:
        await told.started("web-0", port)
        await said(log, Healthy)
        await told.live("web-0")
        await told.paused("web-0")
        await told.resumed("web-0")
        await said(log, Healthy, count=2)

    assert Unhealthy not in types(log)


@pytest.mark.parametrize("end", [ToldDeployment.paused, ToldDeployment.stopped, None])
async def test_a_container_that_is_not_to_be_probed_any_more_is_left_in_peace(
    log: MemoryLog, end: Callable[[ToldDeployment, str], Awaitable[None]] | None
) -> None:
    told = ToldDeployment(log)
    await told.built()
    async with LoopbackApp(http(200)).listening() as port, monitor(log) as running:
        await told.started("web-0", port)
        await said(log, Healthy)
        (watching,) = running.watched
        if end is None:
            await told.tell(Service.GATEWAY, DeploymentCanceled())
        else:
            await told.live("web-0")
            await end(told, "web-0")
        await running.reaction.to(WakeUp(log.at(log.length), 1))
        assert watching.cancelling()
        assert running.watched == []


async def test_a_monitor_that_was_away_goes_on_where_the_rows_stand(log: MemoryLog) -> None:
    told, app = ToldDeployment(log), LoopbackApp(http(200))
    await told.built()
    async with app.listening() as port:
        await told.started("web-0", port)
        async with monitor(log):
            await said(log, Healthy)
        async with monitor(log):
            app.asked.clear()
            await app.asked.wait()
    async with monitor(log):
        await said(log, Unhealthy)

    assert types(log).count(Healthy) == 1


async def test_a_deadline_that_passed_while_the_monitor_was_away_still_allows_one_probe(log: MemoryLog) -> None:
    told = ToldDeployment(log, SOON, clock=lambda: utc_now() - timedelta(hours=1))
    await told.built()
    async with LoopbackApp(http(200)).listening() as port:
        await told.started("web-0", port)
        async with monitor(log):
            await said(log, Healthy)

    assert Failed not in types(log)


async def test_what_others_append_meanwhile_is_read_and_decided_anew(log: MemoryLog) -> None:
    told, app = ToldDeployment(log), LoopbackApp(http(503))
    await told.built()
    async with app.listening() as port, monitor(log) as running:
        running.rows.stay_at(await told.started("web-0", port))
        await app.asked.wait()
        await told.started("web-1", port, 1)
        app.answer = http(200)
        await running.prober.met(Answered, status=200)
        running.rows.stay_at(None)
        healthy = await said(log, Healthy, count=2)

    assert sorted(event.container for event in healthy) == ["web-0", "web-1"]


async def test_what_a_looping_container_answers_counts_for_the_uptime_and_is_no_news(
    log: MemoryLog, free_port: Callable[[], int]
) -> None:
    told, app = ToldDeployment(log), LoopbackApp(http(200), free_port())
    await told.built()
    await told.answers()
    async with monitor(log) as running:
        async with app.listening():
            await told.started("web-0", app.port)
            await said(log, Healthy)
            await told.live("web-0")
            await told.tell(Service.BUILDER, ContainerLooping(node="node-1", container="web-0", exits=5, exit_code=1))
        await running.prober.met(NotListening, count=6)
        (place,) = running.samples.places
        counted = reduce(Sum.plus, running.samples.take(place).values())

    assert counted.good
    assert counted.bad
    assert Unhealthy not in types(log)


@dataclass
class Commands(Prober):
    """What comes of a command: the outcomes in turn, the last one again and again."""

    outcomes: list[Outcome]

    async def probe(self, target: Target, probe: Probe) -> Outcome:
        del target, probe
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]


@pytest.mark.parametrize(("outcome", "bad"), [(NotRun(), True), (EngineAway(), False)])
async def test_a_command_counts_as_bad_in_what_does_not_run_and_not_at_all_without_an_engine(
    log: MemoryLog, outcome: Outcome, *, bad: bool
) -> None:
    told = ToldDeployment(log, DeploymentConfig(probe=CommandProbe(command="true")))
    await told.built()
    await told.answers()
    async with monitor(log, Commands([Succeeded(1), outcome])) as running:
        await told.started("web-0")
        await said(log, Healthy)
        await running.prober.met(type(outcome), count=6)
        (place,) = running.samples.places
        counted = reduce(Sum.plus, running.samples.take(place).values())

    assert counted.good
    assert bool(counted.bad) == bad
    assert Unhealthy not in types(log)
