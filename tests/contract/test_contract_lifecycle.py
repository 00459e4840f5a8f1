"""The life of a deployment: every way through it ends once, and what may follow what is written down here again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from windlass_contracts.errors import ForbiddenTransitionError
from windlass_contracts.event import Event, published_events
from windlass_contracts.events import (
    BuildStarted,
    BuildSucceeded,
    ContainerLooping,
    ContainerPaused,
    ContainerResumed,
    ContainerStarted,
    ContainerStopped,
    CutoverStarted,
    DeploymentCanceled,
    DeploymentLive,
    DeploymentRequested,
    DeploymentScaled,
    DeploymentSuperseded,
    Failed,
    Healthy,
    RestartFailed,
    RestartRequested,
    RestartSucceeded,
    Unhealthy,
)
from windlass_contracts.lifecycle import ENDS, TRANSITIONS, Phase, transition
from windlass_contracts.subjects import Aggregate

OF_DEPLOYMENTS = sorted(
    (kind for kind in published_events().values() if kind.AGGREGATE is Aggregate.DEPLOYMENT), key=lambda kind: kind.TYPE
)
ENDINGS: frozenset[type[Event]] = frozenset({DeploymentLive, DeploymentCanceled, DeploymentSuperseded, Failed})
ABOUT_CONTAINERS = frozenset(
    {ContainerStarted, ContainerStopped, ContainerPaused, ContainerResumed, ContainerLooping, Healthy, Unhealthy}
)
# A rollback claims a version that was live by another cutover; it ends the deployment no second time.
OF_LIVE_ONES = frozenset({CutoverStarted, DeploymentScaled, RestartRequested, RestartSucceeded, RestartFailed})

WAY: tuple[type[Event], ...] = (
    BuildStarted,
    BuildSucceeded,
    ContainerStarted,
    Healthy,
    CutoverStarted,
    DeploymentLive,
)

# Another writing of the whole table: for each phase, what may happen and what it leads to ("=" stays).
TABLE = """
-          deployment.requested>requested
requested  build.started>building deployment.canceled>canceled deployment.failed>failed \
deployment.superseded>superseded
building   build.started>= build.succeeded>built deployment.canceled>canceled deployment.failed>failed \
deployment.superseded>superseded
built      container.started>started deployment.canceled>canceled deployment.failed>failed \
deployment.superseded>superseded predeploy.started>= predeploy.succeeded>=
started    container.looping>= container.started>= container.stopped>= deployment.canceled>canceled \
deployment.failed>failed deployment.superseded>superseded health.lost>= health.passed>healthy
healthy    container.looping>= container.started>= container.stopped>= cutover.started>cutover \
deployment.canceled>canceled deployment.failed>failed deployment.superseded>superseded health.lost>= health.passed>=
cutover    container.looping>= container.started>= container.stopped>= deployment.failed>failed deployment.live>live \
health.lost>= health.passed>=
live       container.looping>= container.paused>= container.resumed>= container.started>= container.stopped>= \
cutover.started>= deployment.scaled>= health.lost>= health.passed>= restart.failed>= restart.requested>= \
restart.succeeded>=
failed     container.stopped>=
canceled   container.stopped>=
superseded container.stopped>=
"""


def written() -> dict[str, list[str]]:
    rows = (line.split() for line in TABLE.strip().replace("\\\n", "").splitlines())
    return {phase: moves for phase, *moves in rows}


def test_the_table_is_the_one_that_was_published() -> None:
    actual: dict[str, list[str]] = {}
    for (phase, event), after in TRANSITIONS.items():
        move = f"{event.TYPE.removesuffix('.v1')}>{'=' if after is phase else after}"
        actual.setdefault("-" if phase is None else phase.value, []).append(move)

    assert {phase: sorted(moves) for phase, moves in actual.items()} == written()


@pytest.mark.parametrize("phase", [None, *Phase])
@pytest.mark.parametrize("event", OF_DEPLOYMENTS)
def test_what_the_table_does_not_name_is_refused(phase: Phase | None, event: type[Event]) -> None:
    if (phase, event) in TRANSITIONS:
        assert transition(phase, event) is TRANSITIONS[phase, event]
    else:
        with pytest.raises(ForbiddenTransitionError, match=event.TYPE):
            transition(phase, event)


@pytest.mark.parametrize("event", published_events().values())
def test_events_about_other_things_are_none_of_a_deployments_life(event: type[Event]) -> None:
    named = any(event is kind for _, kind in TRANSITIONS)

    assert named == (event.AGGREGATE is Aggregate.DEPLOYMENT)


@pytest.mark.parametrize("end", sorted(ENDS))
def test_no_event_leaves_an_end(end: Phase) -> None:
    following = {event: after for (phase, event), after in TRANSITIONS.items() if phase is end}

    assert set(following.values()) <= {end}
    assert set(following) <= ABOUT_CONTAINERS | (OF_LIVE_ONES if end is Phase.LIVE else set())
    assert not set(following) & ENDINGS


@pytest.mark.parametrize("phase", sorted(set(Phase) - ENDS))
def test_every_phase_before_an_end_can_end_in_failure_and_in_success(phase: Phase) -> None:
    assert transition(phase, Failed) is Phase.FAILED
    reached, last = {phase}, set[Phase]()
    while reached != last:
        last = set(reached)
        reached |= {after for (before, _), after in TRANSITIONS.items() if before in last}
    assert reached >= {Phase.FAILED, Phase.LIVE}


@pytest.mark.parametrize("phase", sorted(Phase))
def test_a_cancel_or_a_later_request_ends_it_only_before_the_cutover(phase: Phase) -> None:
    before_cutover = phase in {Phase.REQUESTED, Phase.BUILDING, Phase.BUILT, Phase.STARTED, Phase.HEALTHY}

    assert phase.cancelable is before_cutover
    for event in (DeploymentCanceled, DeploymentSuperseded):
        assert ((phase, event) in TRANSITIONS) is before_cutover


class AnyLife(RuleBasedStateMachine):
    """Whatever four services append, in whatever order, as far as the table lets them."""

    def __init__(self) -> None:
        super().__init__()
        self.phase: Phase | None = None
        self.history: list[type[Event]] = []

    @rule(event=st.sampled_from(OF_DEPLOYMENTS))
    def append(self, event: type[Event]) -> None:
        try:
            self.phase = transition(self.phase, event)
        except ForbiddenTransitionError:
            return
        self.history.append(event)

    @precondition(lambda self: self.phase is not None and not self.phase.ended)
    @rule(data=st.data())
    def append_what_may_follow(self, data: st.DataObject) -> None:
        possible = [event for event in OF_DEPLOYMENTS if (self.phase, event) in TRANSITIONS]
        self.append(data.draw(st.sampled_from(possible)))

    @invariant()
    def it_begins_with_its_request_and_is_requested_once(self) -> None:
        assert self.history[:1] in ([], [DeploymentRequested])
        assert self.history.count(DeploymentRequested) <= 1

    @invariant()
    def it_ends_at_most_once_and_has_ended_when_it_says_so(self) -> None:
        ends = [event for event in self.history if event in ENDINGS]
        assert len(ends) == (self.phase is not None and self.phase.ended)

    @invariant()
    def it_is_live_only_after_build_start_health_and_cutover_in_this_order(self) -> None:
        if self.phase is Phase.LIVE:
            way: list[type[Event]] = [
                BuildStarted,
                BuildSucceeded,
                ContainerStarted,
                Healthy,
                CutoverStarted,
                DeploymentLive,
            ]
            places = [self.history.index(event) for event in way]
            assert places == sorted(places)

    @invariant()
    def nothing_cancels_it_from_its_cutover_on(self) -> None:
        if CutoverStarted in self.history:
            after = self.history[self.history.index(CutoverStarted) :]
            assert DeploymentCanceled not in after
            assert DeploymentSuperseded not in after


TestAnyLife = AnyLife.TestCase


@given(st.lists(st.sampled_from(OF_DEPLOYMENTS), max_size=30))
def test_a_refused_event_changes_nothing(events: list[type[Event]]) -> None:
    phase: Phase | None = None
    for event in events:
        before = phase
        try:
            phase = transition(phase, event)
        except ForbiddenTransitionError:
            assert phase is before
