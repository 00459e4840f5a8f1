"""Whatever people ask for, in whatever order the services come to it, and whoever dies meanwhile: what must hold does.

A failing history is told line by line, with what has to be written into `stories/` to keep it. See docs/simulation.md.
"""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings

from support.simulation.exploring import explore, run
from support.simulation.history import Deploy, History
from support.simulation.planted import BUGS, Bug
from support.simulation.strategies import ALWAYS_THE_SAME, histories
from support.simulation.world import World

STORIES = sorted((Path(__file__).parent / "stories").glob("*.json"))


@settings(ALWAYS_THE_SAME, max_examples=60)
@given(history=histories())
def test_every_history_ends_as_it_should(scratch: Path, history: History) -> None:
    run(history, scratch)


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.stem)
def test_kept_story_ends_as_it_should(scratch: Path, story: Path) -> None:
    run(History.model_validate_json(story.read_text()), scratch)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_planted_bug_is_found_by_a_history_that_ends_well_without_it(scratch: Path, bug: Bug) -> None:
    explored = explore(scratch, bug.hunted_in, bug=bug, kind=bug.kind)
    assert explored.by is not None
    assert explored.found is not None
    assert explored.found.startswith(bug.breaks)
    run(explored.by, scratch)


def test_history_runs_the_same_way_each_time(scratch: Path) -> None:
    acts = (Deploy(replicas=2), Deploy(after=0.3), Deploy(after=2.0, environment=1))
    history = History(acts=acts, faults=30, schedule=bytes(range(7, 250)).hex())
    told = []
    for _ in range(2):
        world = World(history, scratch)
        assert world.run() is None
        told.append(str(world.story))
    assert told[0] == told[1]


def test_history_is_written_down_and_read_again() -> None:
    history = History(acts=(Deploy(replicas=2),), faults=4, schedule="00ff")
    assert History.model_validate(json.loads(history.written())) == history
