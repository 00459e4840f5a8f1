"""Who is watched after a deployment, and what takes a version back: decided from rows and counted answers."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import router_events as say
from support.router_events import PREVIEW, PRODUCTION, PROJECT, TEAM, container_of, deployment_number
from windlass_contracts.cloudevent import Metadata, Recorded
from windlass_contracts.config import Deadlines, DeploymentConfig, RestoreIn, WatchWindow
from windlass_contracts.event import Event
from windlass_contracts.events import (
    AliasesChanged,
    ContainerLooping,
    ContainerStopped,
    CutoverStarted,
    DeploymentLive,
    RestoreRequested,
    RoutesApplied,
    WeightChanged,
)
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import DeploymentId, EnvironmentId, EventId, derived
from windlass_contracts.subjects import AggregateKey, Service
from windlass_monitor.domain import deployment as deployments
from windlass_monitor.domain import place as places
from windlass_monitor.domain import routes as project_routes
from windlass_monitor.domain.answers import Answers, Tally
from windlass_monitor.domain.deployment import Deployment
from windlass_monitor.domain.place import Place
from windlass_monitor.domain.presence import ALWAYS_THERE, SETTLES_WITHIN, Presence
from windlass_monitor.domain.routes import Routes
from windlass_monitor.domain.window import MANY_ENDS, NONE_HEALTHY_FOR, Window, answers_of, decide, open_windows

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
OLD, NEW, NEXT = (deployment_number(number) for number in range(1, 4))
CALM = Answers(1_000, 10)


class Story:
    """Events in order, a second apart from one another, as far as the monitor reads them."""

    def __init__(self, watch: WatchWindow | None = None) -> None:
        self.config = DeploymentConfig(watch=watch or WatchWindow())
        self.sequence = 0
        self.routes: Routes | None = None
        self.place: Place | None = None
        self.deployments: dict[DeploymentId, Deployment] = {}
        for event in say.founding():
            self.tell(PROJECT, event)

    @property
    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.sequence)

    def tell(self, about: UUID, *events: Event) -> None:
        for event in events:
            self.sequence += 1
            identity = EventId(derived("test", str(self.sequence)))
            (service, *_) = sorted(event.APPENDED_BY)
            key = AggregateKey(TEAM, PROJECT, event.AGGREGATE, about)
            recorded = Recorded(
                self.sequence,
                "test",
                Service(service),
                key,
                event,
                Metadata(identity, self.now, "token:test", identity),
            )
            if about == PROJECT:
                self.routes = project_routes.evolve(self.routes, recorded)
                self.place = places.evolve(self.place, recorded)
            else:
                row = deployments.evolve(self.deployments.get(DeploymentId(about)), recorded)
                assert row is not None
                self.deployments[DeploymentId(about)] = row

    def live(self, deployment: DeploymentId, environment: EnvironmentId = PRODUCTION, replicas: int = 1) -> None:
        """Let a version be deployed, and take the environment by a cutover."""
        up = [event for n in range(replicas) for event in (say.started(deployment, n), say.healthy(deployment, n))]
        self.tell(deployment, say.requested(environment, config=self.config), *say.built(), *up)
        self.tell(deployment, CutoverStarted(containers=(container_of(deployment),)))
        self.moved("cutover", deployment, environment)
        self.tell(deployment, DeploymentLive(generation=self.sequence, duration_ms=1))

    def moved(
        self, why: str, to: DeploymentId, environment: EnvironmentId = PRODUCTION, *, applied: bool = True
    ) -> None:
        alias = Alias(kind="environment", name="shop", environment=environment)
        self.tell(PROJECT, AliasesChanged(why=why, deployment=to, moves=(AliasMove(alias=alias, after=to),)))
        if applied:
            self.applied()

    def applied(self) -> None:
        self.tell(PROJECT, RoutesApplied(generation=self.sequence, proxies=("one",), duration_ms=1))

    def weighted(self, deployment: DeploymentId, weight: int) -> None:
        self.tell(PROJECT, WeightChanged(environment=PRODUCTION, deployment=deployment, weight=weight, why="rollout"))
        self.applied()

    def windows(self, later: timedelta = timedelta(0)) -> list[tuple[DeploymentId, DeploymentId]]:
        return [(one.version, one.to) for one in self._windows(later)]

    def _windows(self, later: timedelta) -> Sequence[Window]:
        rows = {one: row for one, row in self.deployments.items() if self.routes and one in self.routes.named}
        assert self.routes is not None
        return list(open_windows(self.routes, self.place or Place(), rows, self.now + later))

    def wish(
        self, answers: Answers = CALM, later: timedelta = timedelta(0), engine: Presence = ALWAYS_THERE
    ) -> RestoreRequested | None:
        """Return what is asked for now, if anything."""
        for window in self._windows(later):
            wish = decide(window, self.deployments[window.version], answers, engine, self.now + later)
            if wish is not None:
                return wish
        return None

    def code(
        self, answers: Answers = CALM, later: timedelta = timedelta(0), engine: Presence = ALWAYS_THERE
    ) -> str | None:
        wish = self.wish(answers, later, engine)
        return None if wish is None else wish.code


@pytest.fixture
def story() -> Story:
    told = Story()
    told.live(OLD)
    told.live(NEW)
    return told


def ended(deployment: DeploymentId, why: str = "exited", code: int = 1, replica: int = 0) -> Event:
    name = container_of(deployment, replica)
    return ContainerStopped(node="one", container=name, why=why, exit_code=code, out_of_memory=why == "out-of-memory")


def test_the_first_version_is_not_watched_for_a_failing_app_answers_more_than_none() -> None:
    told = Story()
    told.live(OLD)
    assert told.windows() == []


def test_a_version_is_watched_from_its_confirmation_on_for_as_long_as_the_project_says(story: Story) -> None:
    assert story.windows(timedelta(seconds=290)) == [(NEW, OLD)]
    assert story.windows(timedelta(seconds=301)) == []


def test_nothing_is_watched_before_the_proxies_confirmed_it(story: Story) -> None:
    story.moved("promotion", OLD, applied=False)
    assert story.windows() == []
    story.applied()
    assert story.windows() == [(OLD, NEW)]


@pytest.mark.parametrize("why", ["rollback", "compensation", "restore", "domain"])
def test_after_what_brings_an_earlier_version_back_nobody_watches(story: Story, why: str) -> None:
    story.moved(why, OLD)
    assert story.windows() == []


def test_a_version_is_taken_back_once_whatever_gives_it_the_environment_again(story: Story) -> None:
    story.tell(PROJECT, RestoreRequested(environment=PRODUCTION, before=NEW, to=OLD, code="errors", reason="It fails."))
    assert story.windows() == []
    story.moved("restore", OLD)
    story.moved("promotion", NEW)
    assert story.windows() == []
    story.live(NEXT)
    assert story.windows() == [(NEXT, NEW)]


@pytest.mark.parametrize(
    ("restore_in", "production", "elsewhere"),
    [(RestoreIn.PRODUCTION, True, False), (RestoreIn.EVERYWHERE, True, True), (RestoreIn.NOWHERE, False, False)],
)
def test_the_project_says_where(restore_in: RestoreIn, *, production: bool, elsewhere: bool) -> None:
    for environment, watched in ((PRODUCTION, production), (PREVIEW, elsewhere)):
        told = Story(WatchWindow(restore_in=restore_in))
        told.live(OLD, environment)
        told.live(NEW, environment)
        assert bool(told.windows()) == watched


def test_what_has_a_weight_is_watched_for_as_long_as_it_has_one(story: Story) -> None:
    story.moved("rollback", OLD)
    story.weighted(NEW, 10)
    story.weighted(NEW, 50)
    assert story.windows(timedelta(days=3)) == [(NEW, OLD)]
    story.weighted(NEW, 0)
    assert story.windows() == []


def test_a_rollout_that_is_over_opens_a_window_of_its_own(story: Story) -> None:
    story.moved("rollback", OLD)
    story.weighted(NEW, 90)
    story.moved("rollout", NEW)
    assert story.windows(timedelta(seconds=290)) == [(NEW, OLD)]
    assert story.windows(timedelta(seconds=301)) == []


def test_a_rollout_whose_end_could_not_be_confirmed_is_watched_on_with_its_weight(story: Story) -> None:
    story.moved("rollback", OLD)
    story.weighted(NEW, 90)
    story.moved("rollout", NEW, applied=False)
    story.moved("compensation", OLD)
    assert story.windows() == [(NEW, OLD)]


def test_an_environment_that_got_another_name_is_watched_on(story: Story) -> None:
    alias = Alias(kind="environment", name="shop--main", environment=PRODUCTION)
    story.tell(PROJECT, AliasesChanged(why="domain", moves=(AliasMove(alias=alias, after=NEW),)))
    assert story.windows() == [(NEW, OLD)]


def test_a_version_whose_container_does_not_answer_its_probe_fails(story: Story) -> None:
    assert story.code() is None
    story.tell(NEW, say.unhealthy(NEW))
    wish = story.wish()
    assert wish == RestoreRequested(
        environment=PRODUCTION,
        before=NEW,
        to=OLD,
        code="unhealthy",
        reason="Its container fails its probe: the status of the answer is not the expected one.",
    )


def test_half_of_the_containers_may_be_unhealthy_and_no_more() -> None:
    told = Story()
    told.live(OLD)
    told.live(NEW, replicas=4)
    told.tell(NEW, say.unhealthy(NEW, 0), say.unhealthy(NEW, 1))
    assert told.code() is None
    told.tell(NEW, say.unhealthy(NEW, 2))
    assert told.code() == "unhealthy"


def test_a_container_that_ends_once_has_time_to_come_back(story: Story) -> None:
    story.tell(NEW, ended(NEW))
    assert story.code() is None
    assert story.code(later=NONE_HEALTHY_FOR) == "unhealthy"
    story.tell(NEW, say.started(NEW), say.healthy(NEW))
    assert story.code(later=NONE_HEALTHY_FOR) is None


def test_a_container_that_ends_again_and_again_fails(story: Story) -> None:
    for _ in range(MANY_ENDS):
        assert story.code() is None
        story.tell(NEW, say.started(NEW), say.healthy(NEW), ended(NEW, code=3))
    wish = story.wish()
    assert wish is not None
    assert (wish.code, wish.reason) == (
        "exits",
        "Its container 0 ended 3 times within a minute, the last time with exit code 3.",
    )


AWAY = Presence(None)


def test_nothing_is_held_against_a_version_while_the_engine_is_away(story: Story) -> None:
    story.tell(NEW, say.unhealthy(NEW))
    assert story.code(engine=AWAY) is None
    assert story.code(later=timedelta(minutes=4), engine=AWAY) is None


@pytest.mark.parametrize("down", [say.unhealthy(NEW), ended(NEW)], ids=["unhealthy", "ended"])
def test_what_went_down_with_the_engine_has_the_time_of_its_first_start_once_that_is_back(
    story: Story, down: Event
) -> None:
    story.tell(NEW, down)
    start = timedelta(seconds=story.config.deadlines.health_s)
    back = Presence(story.now + timedelta(seconds=20), returned=True)
    settled = timedelta(seconds=20) + start
    assert story.code(later=settled - timedelta(seconds=1), engine=back) is None
    assert story.code(later=settled, engine=back) == "unhealthy"
    story.tell(NEW, say.started(NEW), say.healthy(NEW))
    assert story.code(later=settled, engine=back) is None


def test_a_monitor_that_has_just_begun_waits_until_it_knows_that_the_engine_stays(story: Story) -> None:
    story.tell(NEW, say.unhealthy(NEW))
    seen = Presence(story.now)
    assert story.code(later=SETTLES_WITHIN - timedelta(seconds=1), engine=seen) is None
    assert story.code(later=SETTLES_WITHIN, engine=seen) == "unhealthy"


def test_ends_with_the_engine_are_not_counted_and_those_behind_its_return_are(story: Story) -> None:
    story.config = DeploymentConfig(deadlines=Deadlines(health_s=10))
    story.live(NEXT)
    for _ in range(MANY_ENDS):
        story.tell(NEXT, say.started(NEXT), say.healthy(NEXT), ended(NEXT, code=0))
    story.tell(NEXT, say.started(NEXT), say.healthy(NEXT))
    assert story.code() == "exits"
    assert story.code(engine=Presence(story.now)) == "exits"
    back = Presence(story.now, returned=True)
    assert story.code(engine=back) is None
    story.sequence += int(SETTLES_WITHIN.total_seconds())
    for _ in range(MANY_ENDS):
        assert story.code(engine=back) is None
        story.tell(NEXT, ended(NEXT), say.started(NEXT), say.healthy(NEXT))
    assert story.code(engine=back) == "exits"


def test_an_engine_that_has_just_come_back_is_no_excuse_for_what_the_app_itself_answers(story: Story) -> None:
    assert story.code(Answers(20, 20), engine=Presence(story.now, returned=True)) == "errors"
    assert story.code(Answers(20, 20), engine=AWAY) is None


@pytest.mark.parametrize("why", ["retired", "removed", "missing", "cut-off"])
def test_what_others_ended_is_not_held_against_a_version(story: Story, why: str) -> None:
    for _ in range(MANY_ENDS):
        story.tell(NEW, ended(NEW, why), say.started(NEW), say.healthy(NEW))
    assert story.code() is None


def test_ends_from_before_the_environment_was_taken_are_not_counted(story: Story) -> None:
    for _ in range(MANY_ENDS - 1):
        story.tell(OLD, ended(OLD, "out-of-memory", 137), say.started(OLD), say.healthy(OLD))
    story.moved("promotion", OLD)
    story.tell(OLD, ended(OLD), say.started(OLD), say.healthy(OLD))
    assert story.code() is None


def test_a_loop_is_as_many_ends_as_are_needed(story: Story) -> None:
    story.tell(
        NEW, ContainerLooping(node="one", container=container_of(NEW), exits=5, exit_code=137, out_of_memory=True)
    )
    wish = story.wish()
    assert wish is not None
    assert (wish.code, "more memory than it may" in wish.reason) == ("exits", True)


@pytest.mark.parametrize(
    ("answers", "code"),
    [(Answers(20, 10), "errors"), (Answers(20, 9), None), (Answers(19, 19), None), (Answers(0, 0), None)],
)
def test_half_of_enough_answers_within_a_minute_may_not_be_errors(
    story: Story, answers: Answers, code: str | None
) -> None:
    assert story.code(answers) == code


def test_what_a_proxy_says_while_no_container_is_there_is_not_held_against_a_version(story: Story) -> None:
    tally = Tally().after(story.now, Answers()).after(story.now + timedelta(seconds=1), Answers(200, 200))
    story.tell(NEW, ended(NEW, code=143))
    assert answers_of(story.deployments[NEW], tally, story.now) == Answers()
    story.tell(NEW, say.started(NEW), say.healthy(NEW))
    tally = tally.after(story.now + timedelta(seconds=2), Answers(230, 230))
    later = story.now + timedelta(seconds=8)
    assert answers_of(story.deployments[NEW], tally, later) == Answers()
    tally = tally.after(later, Answers(260, 245))
    assert answers_of(story.deployments[NEW], tally, later) == Answers(30, 15)


def test_the_counters_of_a_proxy_begin_anew_with_it() -> None:
    tally = Tally().after(NOON, Answers(100, 50))
    assert tally.within_a_minute(NOON) == Answers()
    tally = tally.after(NOON + timedelta(seconds=2), Answers(130, 60)).after(NOON + timedelta(seconds=4), Answers(7, 1))
    assert tally.within_a_minute(NOON + timedelta(seconds=5)) == Answers(37, 11)
    assert tally.within_a_minute(NOON + timedelta(seconds=63)) == Answers(7, 1)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.booleans(), st.integers(1, 30)), max_size=30))
def test_no_answer_is_counted_twice_and_none_of_the_last_minute_is_lost(
    reads: list[tuple[int, int, bool, int]],
) -> None:
    tally, now, counted = Tally().after(NOON, Answers()), NOON, Answers()
    grown: list[tuple[datetime, Answers]] = []
    for good, errors, restarts, seconds in reads:
        now += timedelta(seconds=seconds)
        more = Answers(good + errors, errors)
        smaller = more.total < counted.total or more.errors < counted.errors
        after = more if restarts and smaller else Answers(counted.total + more.total, counted.errors + more.errors)
        tally, counted = tally.after(now, after), after
        grown.append((now, more))
    recent = [one for at, one in grown if now - at < timedelta(minutes=1)]
    expected = Answers(sum(one.total for one in recent), sum(one.errors for one in recent))
    assert tally.within_a_minute(now) == expected


MOVES = st.sampled_from(["cutover", "promotion", "rollback", "compensation", "restore", "rollout"])
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("move"), MOVES, st.sampled_from([OLD, NEW, NEXT])),
        st.tuples(st.just("ill"), st.just(""), st.sampled_from([OLD, NEW, NEXT])),
        st.tuples(st.just("well"), st.just(""), st.sampled_from([OLD, NEW, NEXT])),
        st.tuples(st.just("ends"), st.just(""), st.sampled_from([OLD, NEW, NEXT])),
        st.tuples(st.just("part"), st.sampled_from(["0", "10", "90"]), st.sampled_from([OLD, NEW, NEXT])),
    ),
    max_size=40,
)


@given(EVENTS, st.integers(0, 40))
def test_whatever_happens_each_version_is_taken_back_once_and_for_another_that_was_live(
    events: list[tuple[str, str, DeploymentId]], errors: int
) -> None:
    told = Story(WatchWindow(window_s=20))
    for version in (OLD, NEW, NEXT):
        told.live(version)
    asked: set[DeploymentId] = set()
    for what, how, version in events:
        match what:
            case "move":
                told.moved(how, version)
            case "ill":
                told.tell(version, say.unhealthy(version))
            case "well":
                told.tell(version, say.started(version), say.healthy(version))
            case "ends":
                told.tell(version, ended(version))
            case _:
                told.weighted(version, int(how))
        wish = told.wish(Answers(40, errors))
        if wish is None:
            continue
        assert told.routes is not None
        assert wish.before not in asked
        assert wish.before != wish.to
        asked.add(wish.before)
        turn, part = told.routes.turns[PRODUCTION], told.routes.parts.get(PRODUCTION)
        if wish.before == turn.version and turn.why in {"cutover", "promotion", "rollout"}:
            assert wish.to == turn.before or (part is not None and wish.before == part.version)
        else:
            assert part is not None
            assert (wish.before, wish.to) == (part.version, turn.version)
        told.tell(PROJECT, wish)
