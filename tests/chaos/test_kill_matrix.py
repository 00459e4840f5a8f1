"""Some of the bench's cases, of each kind one: whoever is killed, exactly at a point of an action, it costs nothing."""

from collections.abc import Iterator

import pytest

from support.kill_cases import REPRESENTATIVE, KillCase
from support.kill_run import KillRun, kill_run
from support.kill_verdict import Verdict
from support.platform import Platform

# Where no engine is in the way, for there it is quick.
pytestmark = pytest.mark.parametrize("platform", ["process"], indirect=True, scope="session")


@pytest.fixture(scope="module")
def run(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KillRun]:
    with kill_run(platform, tmp_path_factory.mktemp("killed")) as running:
        yield running


@pytest.mark.parametrize("case", REPRESENTATIVE, ids=str)
def test_a_kill_exactly_there_costs_nothing(run: KillRun, case: KillCase) -> None:
    verdict = run.run(case)
    assert verdict.killed
    assert not verdict.wrong


def test_after_all_kills_nothing_is_lost_and_exactly_what_should_run_runs(run: KillRun) -> None:
    verdict = Verdict(REPRESENTATIVE[-1])
    run.look_closely(verdict)
    assert not verdict.wrong
    assert not run.lost()
