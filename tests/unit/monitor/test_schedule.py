"""When a container is probed next, and when its answers are believed."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from windlass_contracts.config import CommandProbe, HttpProbe, TcpProbe
from windlass_monitor.domain.outcomes import (
    Answered,
    Connected,
    NoAnswer,
    NotHttp,
    NotListening,
    Outcome,
    Unreachable,
    Unsupported,
    is_good,
)
from windlass_monitor.domain.schedule import Approach, Vigil

CLOSED = st.sampled_from([NotListening(), Unreachable()])
BAD = st.sampled_from([NoAnswer(), NotHttp(), Answered(500, 1), Answered(404, 1)])
GOOD = st.sampled_from([Answered(200, 1), Answered(302, 1)])
OUTCOMES = st.lists(CLOSED | BAD | GOOD, max_size=40)
HTTP = HttpProbe()


def after(outcomes: Sequence[Outcome], probe: HttpProbe | TcpProbe | CommandProbe = HTTP) -> Approach:
    approach = Approach(probe)
    for outcome in outcomes:
        approach = approach.after(outcome)
    return approach


@given(st.lists(CLOSED, max_size=400))
def test_a_closed_port_is_tried_every_25_to_50_ms_however_long_it_takes(outcomes: list[Outcome]) -> None:
    assert 0.025 <= after(outcomes).pause_s <= 0.05


@given(OUTCOMES, st.integers(1, 30))
def test_bad_answers_make_the_pauses_longer_from_50_ms_to_1_s(before: list[Outcome], bad: int) -> None:
    approach = after([*before, NotListening()])
    pauses = []
    for _ in range(bad):
        approach = approach.after(Answered(503, 1))
        pauses.append(approach.pause_s)

    assert pauses[0] == 0.05
    assert pauses == sorted(pauses)
    assert pauses[-1] == min(0.05 * 2 ** (bad - 1), 1.0)


@given(OUTCOMES, st.integers(1, 5))
def test_it_passes_by_enough_good_answers_in_a_row_and_by_nothing_else(outcomes: list[Outcome], wanted: int) -> None:
    probe = HttpProbe(successes=wanted)
    approach = after(outcomes, probe)
    in_a_row = 0
    for outcome in reversed(outcomes):
        if not is_good(outcome, probe):
            break
        in_a_row += 1

    assert (approach.success is not None) == (in_a_row >= wanted)
    assert approach.tries == len(outcomes)


def test_an_app_that_closes_its_port_again_is_tried_often_again() -> None:
    assert after([Answered(500, 1)] * 9 + [NotListening()]).pause_s == 0.025


@given(OUTCOMES)
def test_what_an_open_port_answered_last_tells_more_than_that_it_is_closed(outcomes: list[Outcome]) -> None:
    answers = [outcome for outcome in outcomes if not isinstance(outcome, NotListening | Unreachable)]

    assert after(outcomes).telling == (answers or outcomes or [NotListening()])[-1]


def test_a_tcp_probe_passes_by_a_connection_alone() -> None:
    assert after([NotListening(), Connected(3)], TcpProbe()).success == Connected(3)
    assert after([Connected(3)], HTTP).success is None


def test_a_probe_that_cannot_be_done_is_hopeless_at_once() -> None:
    assert after([Unsupported()], CommandProbe(command="true")).hopeless
    assert not after([NotListening()]).hopeless


@given(st.builds(Vigil, st.booleans()), st.lists(st.booleans(), max_size=60))
def test_three_failures_in_a_row_lose_health_and_two_successes_regain_it(vigil: Vigil, answers: list[bool]) -> None:
    run = 0
    for good in answers:
        before, vigil = vigil, vigil.after(good=good)
        run = run + 1 if good != before.healthy else 0
        if run == (3 if before.healthy else 2):
            assert vigil.healthy != before.healthy
            run = 0
        else:
            assert vigil.healthy == before.healthy


def test_a_container_that_fails_is_known_within_seven_and_a_half_seconds() -> None:
    vigil, waited = Vigil(healthy=True), 0.0
    while vigil.healthy:
        waited += vigil.pause_s
        vigil = vigil.after(good=False)

    assert waited <= 7.5
