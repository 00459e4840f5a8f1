"""Which probes count, for which environments, and what becomes of them while they cannot be stored."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from support import router_events as say
from support.told_project import ToldProject
from windlass_contracts.events import AliasesChanged, WeightChanged
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import DeploymentId, EnvironmentId
from windlass_contracts.series import Series, Sum, series_key, series_of
from windlass_eventlog.errors import LogUnavailableError
from windlass_eventlog.memory.buckets import MemoryKeyValue
from windlass_eventlog.memory.log import MemoryLog
from windlass_eventlog.memory.rows import MemoryRows
from windlass_eventlog.reactor import WakeUp
from windlass_monitor.application.answering import Answering, Place
from windlass_monitor.application.projections import ALL
from windlass_monitor.application.recording import Recording
from windlass_monitor.application.samples import Sampler, Samples
from windlass_monitor.domain.outcomes import Answered, Success

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE = int(START.timestamp()) // 60
OLD, NEW = say.deployment_number(1), say.deployment_number(2)
PRODUCTION, PREVIEW = (Place(say.PROJECT, one) for one in (say.PRODUCTION, say.PREVIEW))
KEY = series_key(*PRODUCTION)


@dataclass
class Clock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


class Bucket(MemoryKeyValue):
    """A bucket whose server is away for as long as `away` holds something."""

    away: ClassVar[set[str]] = set()

    async def put(self, key: str, value: bytes) -> None:
        if self.away:
            raise LogUnavailableError("away")
        self._store(key, value)

    async def series(self, key: str = KEY) -> Series:
        found = series_of(await self.get(key) or b"")
        assert found is not None
        return found


@dataclass
class Scene:
    """A monitor's samples over the log in memory."""

    clock: Clock = field(default_factory=Clock)
    log: MemoryLog = field(default_factory=MemoryLog)
    bucket: Bucket = field(default_factory=Bucket)

    def __post_init__(self) -> None:
        self.told = ToldProject(self.log)
        self.answering = Answering(MemoryRows(self.log, ALL))
        self.samples = Samples(self.answering, self.clock)
        self.recording = Recording(self.bucket, self.samples)

    async def tell(self, event: AliasesChanged | WeightChanged) -> None:
        sequence = await self.told.tell(say.PROJECT, event)
        await self.answering.follow(WakeUp(self.log.at(sequence), 1))

    def answered(self, deployment: DeploymentId, milliseconds: int = 4) -> None:
        self.samples.note(deployment, Answered(200, milliseconds), self.samples.now)

    def failed(self, deployment: DeploymentId) -> None:
        self.samples.note(deployment, None, self.samples.now)


def moved(
    after: DeploymentId | None, environment: EnvironmentId = say.PRODUCTION, kind: str = "environment"
) -> AliasesChanged:
    alias = Alias(kind=kind, name=f"shop-{environment.hex[:8]}", environment=environment)
    return AliasesChanged(why="cutover", moves=(AliasMove(alias=alias, after=after),))


def weighted(deployment: DeploymentId, weight: int) -> WeightChanged:
    return WeightChanged(environment=say.PRODUCTION, deployment=deployment, weight=weight, why="asked")


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_the_probes_of_what_answers_in_an_environment_are_summed_up_by_minute(scene: Scene) -> None:
    await scene.tell(moved(NEW))
    scene.answered(NEW, 4)
    scene.answered(NEW, 10)
    scene.clock.now += timedelta(minutes=1)
    scene.failed(NEW)

    assert scene.samples.take(PRODUCTION) == {MINUTE: Sum(2, 0, 14, 10), MINUTE + 1: Sum(1, 1)}
    assert not scene.samples.places


async def test_what_does_not_answer_anywhere_does_not_count(scene: Scene) -> None:
    scene.failed(NEW)
    await scene.tell(moved(NEW, kind="branch"))
    scene.failed(NEW)
    await scene.tell(moved(NEW))
    await scene.tell(moved(None))
    scene.failed(NEW)

    assert not scene.samples.places


async def test_an_environment_goes_on_with_the_version_that_took_it(scene: Scene) -> None:
    await scene.tell(moved(OLD))
    scene.answered(OLD)
    await scene.tell(moved(NEW))
    scene.failed(OLD)
    scene.answered(NEW)

    assert scene.samples.take(PRODUCTION) == {MINUTE: Sum(2, 0, 8, 4)}


async def test_one_version_counts_in_each_environment_that_it_answers_in(scene: Scene) -> None:
    await scene.tell(moved(NEW))
    await scene.tell(moved(NEW, say.PREVIEW))
    scene.failed(NEW)

    assert scene.samples.take(PRODUCTION) == scene.samples.take(PREVIEW) == {MINUTE: Sum(1, 1)}


async def test_a_version_with_a_weight_counts_for_as_long_as_it_has_one(scene: Scene) -> None:
    await scene.tell(moved(OLD))
    await scene.tell(weighted(NEW, 10))
    scene.failed(NEW)
    await scene.tell(weighted(NEW, 0))
    scene.failed(NEW)

    assert scene.samples.take(PRODUCTION) == {MINUTE: Sum(1, 1)}


async def test_a_monitor_that_begins_knows_what_answers(scene: Scene) -> None:
    await scene.told.tell(say.PROJECT, moved(NEW))
    await scene.answering.restore()
    scene.answered(NEW)

    assert scene.samples.places == (PRODUCTION,)


def test_one_probe_counts_in_a_round_however_many_there_are(scene: Scene) -> None:
    scene.answering._places[NEW] = frozenset({PRODUCTION})
    sampler = Sampler(scene.samples, NEW, every_s=5)
    for second in range(20):
        sampler.take(100.0 + second, None)

    assert scene.samples.take(PRODUCTION) == {MINUTE: Sum(4, 4)}


def test_what_is_probed_rarely_holds_for_the_minutes_until_it_is_probed_again(scene: Scene) -> None:
    scene.answering._places[NEW] = frozenset({PRODUCTION})
    sampler = Sampler(scene.samples, NEW, every_s=300)

    def probed(at: timedelta, good: Success | None) -> None:
        scene.clock.now = START + at
        sampler.take(at.total_seconds(), good)

    probed(timedelta(0), Answered(200, 4))
    probed(timedelta(seconds=301), None)
    for second in range(302, 390):
        probed(timedelta(seconds=second), None)
    probed(timedelta(seconds=700), Answered(200, 6))
    well, bad = Sum(1, 0, 4, 4), Sum(1, 1)
    found = scene.samples.take(PRODUCTION)
    assert [found[MINUTE + minute] for minute in range(12)] == [well] * 5 + [bad] * 6 + [Sum(1, 0, 6, 6)]


@pytest.mark.parametrize("every_s", [5, 300])
def test_a_time_in_which_nobody_probed_is_a_gap(scene: Scene, every_s: int) -> None:
    scene.answering._places[NEW] = frozenset({PRODUCTION})
    sampler = Sampler(scene.samples, NEW, every_s)
    sampler.take(0.0, None)
    scene.clock.now += timedelta(minutes=11)
    sampler.take(660.0, None)
    scene.clock.now += timedelta(days=10_000)
    sampler.take(665.0, None)
    later = MINUTE + 11 + 10_000 * 1_440
    expected = {MINUTE, MINUTE + 11, later} if every_s == 5 else {MINUTE, MINUTE + 11}
    assert scene.samples.take(PRODUCTION).keys() == expected


async def test_what_is_stored_is_added_to_what_was_there(scene: Scene) -> None:
    await scene.tell(moved(NEW))
    for _ in range(3):
        scene.answered(NEW)
        await scene.recording.store()
        scene.clock.now += timedelta(minutes=1)
    before = await scene.bucket.get(KEY)
    await scene.recording.store()

    series = await scene.bucket.series()
    assert series.minutes == {MINUTE + later: Sum(1, 0, 4, 4) for later in range(3)}
    assert series.hours == {MINUTE // 60: Sum(3, 0, 12, 4)}
    assert await scene.bucket.get(KEY) is before, "nothing changed"


async def test_what_cannot_be_stored_is_kept_for_later_and_does_not_grow(scene: Scene) -> None:
    await scene.tell(moved(NEW))
    scene.bucket.away.add("for hours")
    for _ in range(400):
        scene.answered(NEW)
        await scene.recording.store()
        scene.clock.now += timedelta(minutes=1)
    assert len(scene.samples._sums[PRODUCTION]) <= 181

    scene.bucket.away.clear()
    await scene.recording.store()
    assert (await scene.bucket.series()).minutes.keys() == {MINUTE + 400 - age for age in range(1, 180)}
    assert not scene.samples.places


async def test_a_value_that_cannot_be_read_is_begun_anew(scene: Scene) -> None:
    await scene.bucket.put(KEY, b"not of this release")
    await scene.tell(moved(NEW))
    scene.answered(NEW)
    await scene.recording.store()

    assert (await scene.bucket.series()).minutes == {MINUTE: Sum(1, 0, 4, 4)}
