"""Which kills make the whole matrix, by the points that undisturbed runs came to."""

from support.kill_cases import ENGINE, MACHINE, Action, KillCase, actions_with, full_matrix, of_machines
from windlass_eventlog.failpoints import Reached

ROUTED = Reached("router", "after_append:aliases.changed.v1", 7)
READ = Reached("logs", "before_ack:container.started.v1", 5)


def test_in_a_deployment_everybody_is_killed_at_each_point() -> None:
    cases = full_matrix({Action.DEPLOYMENT: [ROUTED, READ, ROUTED]})
    servers = {"NATS", "PostgreSQL", "Traefik"}
    assert {(case.point, case.victim) for case in cases} == {
        *((ROUTED.point, victim) for victim in {"router", *servers}),
        *((READ.point, victim) for victim in {"logs", *servers}),
    }
    assert len(cases) == len(set(cases))


def test_in_other_actions_those_are_killed_who_move_and_keep_something() -> None:
    cases = full_matrix({Action.CANCEL: [ROUTED, READ]})
    assert {case.victim for case in cases} == {"router", "NATS", "PostgreSQL"}
    assert {case.point for case in cases} == {ROUTED.point}


def test_what_a_retirement_has_in_common_with_a_deployment_is_not_tried_again() -> None:
    stopped = Reached("builder", "before_append:container.stopped.v1", None)
    cases = full_matrix({Action.DEPLOYMENT: [ROUTED], Action.RETIREMENT: [ROUTED, stopped]})
    retired = [case for case in cases if case.action is Action.RETIREMENT]
    assert retired == [KillCase(Action.RETIREMENT, "builder", stopped.point, "builder")]


def test_words_choose_actions_and_those_they_are_compared_with() -> None:
    assert actions_with(["router", "superseding"]) == [Action.DEPLOYMENT, Action.ROLLBACK, Action.SUPERSEDING]
    assert actions_with(["router"]) == list(Action)


def test_the_engine_and_the_machine_die_at_more_than_a_dozen_moments_each() -> None:
    assert {case.victim for case in of_machines([])} == {ENGINE, MACHINE}
    assert len(of_machines([MACHINE])) == len(of_machines([ENGINE])) > 12
